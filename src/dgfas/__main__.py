from dgfas.cli import main

main()
