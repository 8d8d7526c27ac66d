# SPDX-License-Identifier: Apache-2.0
"""Binds the arguments of a program's calls to the signatures of generated bindings, without importing either.

usage: check_calls.py BINDINGS PROGRAM; prints the calls that fit, and fails at the first one that does not.
"""

import ast
import inspect
import sys

bindings, program = sys.argv[1:]


def signature_of(function: ast.FunctionDef) -> inspect.Signature:
    """The signature behind self or cls, with the defaults that there are."""
    arguments = function.args
    positional = arguments.args[1:] if arguments.args and arguments.args[0].arg in ("self", "cls") else arguments.args
    required = len(positional) - len(arguments.defaults)
    parameters = [
        inspect.Parameter(
            one.arg,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=inspect.Parameter.empty if index < required else None,
        )
        for index, one in enumerate(positional)
    ]
    for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults):
        parameters.append(
            inspect.Parameter(
                one.arg,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if default is None else None,
            )
        )
    return inspect.Signature(parameters)


with open(bindings, encoding="utf-8") as file:
    classes = {
        one.name: {
            member.name: signature_of(member) for member in one.body if isinstance(member, ast.FunctionDef)
        }
        for one in ast.parse(file.read()).body
        if isinstance(one, ast.ClassDef)
    }
with open(program, encoding="utf-8") as file:
    tree = ast.parse(file.read())

imported = {
    alias.name
    for node in ast.walk(tree)
    if isinstance(node, ast.ImportFrom) and node.module == "layerwise_cdk"
    for alias in node.names
}
missing = imported - classes.keys()
if missing:
    sys.exit(f"{program}: layerwise_cdk has no {', '.join(sorted(missing))}")

# What is assigned to a name is of the class that was called.
types = {
    target.id: node.value.func.id
    for node in ast.walk(tree)
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name)
    for target in node.targets
    if isinstance(target, ast.Name) and node.value.func.id in imported
}

for node in ast.walk(tree):
    if not isinstance(node, ast.Call):
        continue
    if isinstance(node.func, ast.Name) and node.func.id in imported:
        owner, method = node.func.id, "__init__"
    elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        owner, method = types.get(node.func.value.id, node.func.value.id), node.func.attr
        if owner not in imported:
            continue
    else:
        continue
    signature = classes[owner].get(method)
    if signature is None:
        sys.exit(f"{program}:{node.lineno}: {owner} has no {method}")
    try:
        signature.bind(*node.args, **{one.arg: one.value for one in node.keywords})
    except TypeError as error:
        sys.exit(f"{program}:{node.lineno}: {owner}.{method}: {error}")
    print(f"{owner}.{method}")
