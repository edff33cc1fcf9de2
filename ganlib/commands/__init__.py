"""The command line, one command a file: ``add(parser, argv)`` declares its flags, ``run(args)`` does the work."""
