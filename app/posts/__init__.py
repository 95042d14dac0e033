"""Who answers for what: responsibility areas 责任区 with their assignments, pioneer posts 先锋岗 and claims 认领.

Always true: a door lies in one area or none; an area has one holder or none and its epoch rises with each
change; a post never has more standing claims than it wants.
"""
