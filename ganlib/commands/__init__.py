"""The command line, one command a file: ``add(subparsers)`` declares it, ``run(args)`` does it."""
