"""Laws: equations between diagrams, for all weights and inputs.

Takes two Diagrams with the same ends; gives a verdict that never says more than it knows: `proved` by a normal form,
`held` in random trials, or `refuted` by a counterexample.

    terms      what a result is at an index, as a term with shared parts
    algebra    sums of products, the part of arithmetic that is exact over the reals
    normal     a Diagram as terms: one for each result
"""
