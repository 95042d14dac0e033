"""A new year's division list is adopted: codes change, and what stands under them goes along.

`plan` says what became of each code and asks where the list alone does not tell; `mapping` is the file in which a
person answers; `carrying` takes rows from code to code; `service` does it all, in two steps that can be gone on with.

Always true: nothing is guessed; no row is lost; a community's rows change codes in one transaction with an entry in
the trails of both codes; an ended code keeps its own trail.
"""
