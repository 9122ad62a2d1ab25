"""The launcher: runs a whole stack as child processes of this machine."""
