"""``completion``: what a shell needs to complete commands, options and files."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Callable

from ._options import FILE, FOLDER, add_command
from ._output import Mistake, say

_SHELLS = ("bash", "zsh", "fish", "tcsh")
_EXAMPLES = """\
  sk-meta completion bash > ~/.local/share/bash-completion/completions/sk-meta
  sk-meta completion zsh > ~/.zsh/completions/_sk-meta
  sk-meta completion fish > ~/.config/fish/completions/sk-meta.fish
  sk-meta completion tcsh > ~/.sk-meta.csh

The folder of zsh has to be one of $fpath; tcsh sources the file. Needs the package
shtab: pip install 'sk-meta[cli]'.
"""


def add(commands: _SubParsersAction, parser: Callable[[], ArgumentParser]) -> None:
    """Add the command.

    Parameters
    ----------
    commands : action of subparsers
    parser : callable
        Makes the whole parser.
    """
    about = "write the completion script of a shell"
    command = add_command(commands, "completion", _complete, about, _EXAMPLES)
    command.add_argument("shell", choices=_SHELLS, help="the shell")
    command.set_defaults(parser=parser)


def _complete(options: Namespace) -> None:
    try:
        import shtab
    except ImportError as error:
        raise Mistake("completion needs shtab: pip install 'sk-meta[cli]'.") from error
    if options.shell not in shtab.SUPPORTED_SHELLS:
        raise Mistake(
            f"this version of shtab does not know {options.shell}. A newer one may: "
            "pip install -U shtab."
        )
    whole = options.parser()
    _mark(whole, {FILE: shtab.FILE, FOLDER: shtab.DIRECTORY})
    say(shtab.complete(whole, shell=options.shell))


def _mark(parser: ArgumentParser, complete: dict[str, dict]) -> None:
    """Tell which arguments are files and folders, in all commands."""
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for command in action.choices.values():
                _mark(command, complete)
        elif action.metavar in complete:
            action.complete = complete[action.metavar]  # type: ignore[attr-defined]
