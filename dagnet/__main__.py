"""``python -m dagnet``: the command line."""

from dagnet.cli import main

if __name__ == "__main__":
    main(prog_name="dagnet")
