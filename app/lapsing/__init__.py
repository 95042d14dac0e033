"""What is said of a household until it lapses 到期: tags that speak of health or hardship, and notes.

Such a fact was true when somebody said it. It holds for a time from then on, by the rule in force; saying it again at
the desk, in a roster or, of tags, by a care visit begins that time anew. What nobody says any more is deleted, and its
committee has read before that it will be.

Always true: a tag that says what a household is (`tenant`, `collective_household`) does not lapse.
"""
