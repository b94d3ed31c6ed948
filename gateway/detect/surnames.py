"""Does a Chinese name begin like this, or only a word?

The commonest surnames, single and double. A name is never told by its surname alone: names are recognised only
where something on the way to them says that a name stands there.
"""

_SINGLE = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金"
    "石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁"
    "岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾"
    "尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛"
    "仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀胥南班储芮湛傅"
)
_DOUBLE = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "司徒",
    "东方",
    "独孤",
    "南宫",
    "夏侯",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "长孙",
    "宇文",
    "令狐",
)

SURNAMES: frozenset[str] = frozenset(_SINGLE) | frozenset(_DOUBLE)
"""Single and double surnames."""

_WORDS = (
    "单位 单价 单号 项目 项次 金额 时间 时长 时段 时限 周期 文件 文号 文档 文本 文书 方式 方案 方法 申请 申报 施工 任务 任职 成员 成绩 "
    "成交 房屋 房产 房间 房号 路线 路段 路径 应付 应收 符号 管理 管辖 党员 温度 高度 程度 程序 关系 关联 简介 简称 全称 全部 全国 费用 "
    "费率 余额 查询 查验 查封 商品 商户 商标 颜色 董事 农户 农业 司机 司法 游客 解释 明细 顾客 储蓄 班级 班次 万元 卫生 连续"
)
WORDS: frozenset[str] = frozenset(_WORDS.split())
"""Words that begin like a surname and stand where registers name their columns."""
