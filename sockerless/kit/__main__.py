"""`python -m sockerless.kit`: the command line by interpreter, as background processes are started."""

from sockerless.kit.cli import main

if __name__ == "__main__":
    main()
