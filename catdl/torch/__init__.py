"""From Diagrams to PyTorch: a plan of units, their source text, and a running `nn.Module`.

    info      what holds of a diagram with all it calls: weights, training, one batch axis
    flatten   a diagram with inline calls and maps spliced in: the steps of one unit
    plan      which diagrams become classes and functions, and their names
    scope     names, values and sizes inside one unit
    context   what the lowering of one box sees
    core      core operations as torch expressions (with pointwise, contract, gather)
    native    one native box; form: module or function, with what stands around the call; natives/ the lowerings
    calls     calls, loops and `each`; spaces: into and out of a map; sites: where submodules stand
    unit      one class or function as text
    checks    what a root asks of its inputs
    adopt     a declared record plugged whole as a module of its own
    constructor  what a class holds and how it starts
    module    the whole file
    build     the text as a running module
    remake    the weights of a unit that are made of parameters alone
    runtime   what generated code may import; reparameterised: weights that are made, kept, merged
    sharding  FSDP2 over a compiled module
    means     what a loss into `Mean` comes to: divided once

Importing this package does not import torch; `build`, `runtime`, `reparameterised`, `means` and `sharding` do.
"""
