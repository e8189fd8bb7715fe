"""What who calls the compiled function shares with it: its name, the roles that threads take, and
an array of integers that all threads see."""

#: The name of the function in its object file.
NAME = "execute"

#: What a thread does in `execute`: run a program, run it with helpers, or help.
ALONE, LEAD, HELP = 0, 1, 2

#: Places of what threads share, each in a line of the cache of its own: the number of the program
#: and, below it, of the next part; how many parts are done; what is running; whether to stop.
TICKET, DONE, PROGRAM, CONSTANTS, ROWS, TOTAL, KIND, STOP, SHARED = 0, 8, 16, 17, 18, 19, 20, 24, 32

#: The number of the program stands in the bits of a ticket from here on.
EPOCH = 32

#: The part that no program has: nobody draws while this is the next.
CLOSED = 2**EPOCH - 1
