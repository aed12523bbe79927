"""What the tools of this folder end with: exit codes as mxref has them."""


class AreaError(Exception):
    """A message of one line; exit_code 2 for a wrong use, 3 for a bad input or a missing tool, 1
    for a check that failed."""

    def __init__(self, exit_code, message):
        super().__init__(message)
        self.exit_code = exit_code


def wrong_use(message):
    return AreaError(2, message)


def bad_input(message):
    return AreaError(3, message)


def check_failed(message):
    return AreaError(1, message)
