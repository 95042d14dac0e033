"""The phones: pull of responsibility areas, push of typed commands, the registry of commands.

Accept always, judge later: a command id gets one answer, repeated whenever it comes again.
"""
