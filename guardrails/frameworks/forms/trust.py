"""Whom code trusts: signatures and secrets that are checked, who may call a route, where events are sent to."""

from __future__ import annotations

import msgspec


class Trust(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How signatures and secrets are made, compared and checked."""

    verifies: tuple[str, ...] = ()  # calls that check a signature or a credential, or ask the sender itself
    signs: tuple[str, ...] = ()  # calls that give a keyed digest: a signature
    hashes: tuple[str, ...] = ()  # calls that give a plain digest: a signature where a secret goes in
    recodes: tuple[str, ...] = ()  # calls that give their first argument in another spelling
    compares: str = ""  # the comparison that takes the same time whatever it compares
    needs: str = ""  # the import that this comparison needs
    sent: tuple[str, ...] = ()  # the last words of attributes that hold what a client sent: headers, query_params
    kept: tuple[str, ...] = ()  # calls that give a setting by its name: os.environ.get


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a route says who may call it."""

    decorators: tuple[str, ...] = ()  # symbols on a handler or its class
    bases: tuple[str, ...] = ()  # classes whose subclasses' routes ask who calls
    calls: tuple[str, ...] = ()  # calls in a handler that refuse strangers
    parameters: tuple[str, ...] = ()  # types of parameters that exist only for a known caller
    attributes: tuple[str, ...] = ()  # class attributes that list who may call
    arguments: tuple[str, ...] = ()  # arguments of a route, a router or an application that do
    hooks: tuple[str, ...] = ()  # decorators and calls that run a function before every route of their file or application
    settings: dict[str, str] = {}  # keys of settings that hold for every route of a framework
    middleware: tuple[str, ...] = ()  # settings that list middleware, and calls that add one
    open: tuple[str, ...] = ()  # symbols that let everybody in
    services: tuple[str, ...] = ()  # calls that make a web application which is run as a process of its own
    exempt: tuple[str, ...] = ()  # decorators that take a route out of what holds for all


class DestinationForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call that tells another service where to send requests; `urls` select the address."""

    call: str
    urls: tuple[str, ...]
    who: str  # the service that calls it, in words
