"""The commands of `python -m bench`: one file each, whose function of the same name is the command."""
