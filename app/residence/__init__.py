"""People over time 人口变动: who lived where from when to when, how they came and why they left.

Words: a stay 居住 is a person's time in one household; a move 搬迁 ends one and begins another; a person leaves 迁出
(moves away, dies, does not live here) or returns 返回; a household splits 分户 or merges 并户; 人户分离 is a person who
lives in one place and is registered in another; a transfer 转接 is a person on the way between two communities,
whom the receiving committee accepts; a tenure 房屋关系 is what a household is to its dwelling.

Always true: where a person lives now is `resident.household_id` while not `is_gone`, and nothing else says so. A stay
without a row began before anybody wrote it down. A person has at most one stay that has not ended, in the household
they live in, and at most one registration that has not ended. Rows are closed, not deleted. All changes go through
`change_places`, under the community's clock, with tallies and trail.
"""
