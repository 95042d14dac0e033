"""What people may expect of those who hold their data 个人信息保护.

A full number is shown to whose task needs it, for a purpose that is written down (reveal 查看原文). Who saw,
changed or carried somebody's data is listed for the person who asks (access log 查询记录), and all that is held can
be printed (copy). What was learnt of people's health ends on its day (retention 保存期限), and a record stays
that it did (deletion record 删除记录).

Always true: a reveal, its row here and its entry in the trail are one transaction; a deletion record holds no
personal data; figures of past rounds do not change when the health behind them goes.
"""
