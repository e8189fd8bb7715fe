"""The debugger at the keyboard: commands in the habits of pdb, each a call of `Debugger`."""

from dagnet.debug.console.console import interact, run_script

__all__ = ["interact", "run_script"]
