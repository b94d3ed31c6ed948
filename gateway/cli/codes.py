"""What does a fault code of a file mean, in words for whom?

Where a fault is reported its message says what was found; this table says what its code means, for
`gateway explain-code`. Codes of `gateway.yaml` stand in `gateway.config.codes`, reasons in `gateway.reasons`:
`explained` looks all three up. Warnings are marked where they are reported.
"""

import re
from typing import NamedTuple


class Explained(NamedTuple):
    """What a code means and what to do, in English and Chinese; `status` of a reason, else 0."""

    code: str
    en: str
    zh: str
    remedy_en: str
    remedy_zh: str
    status: int = 0


_Row = tuple[str, str, str, str]
FILES: dict[str, _Row] = {
    # --- rules, masks, people and tests ------------------------------------------------------------
    "P001": (
        "unknown key",
        "未知的键",
        "see the suggestion: only the listed keys are read here",
        "见消息中的建议：此处只读取列出的键",
    ),
    "P002": (
        "effect is not allow or deny",
        "effect 不是 allow 或 deny",
        "write `effect: allow` or `effect: deny`",
        "请写 `effect: allow` 或 `effect: deny`",
    ),
    "P003": (
        "a word is missing (an allow says who, data, action, level)",
        "缺少必需项（允许规则须写 who、data、action、level）",
        "add the key that the message names",
        "请添加消息中指出的键",
    ),
    "P004": (
        "a value has the wrong form",
        "值的形式不对",
        "write the form that the message names; put texts in quotes",
        "请按消息中的形式书写；文本放入引号",
    ),
    "P005": (
        "an id stands twice",
        "标识重复",
        "choose another id: all files together have one namespace",
        "请换一个标识：所有文件共用一个命名空间",
    ),
    "P006": (
        "an id of a locked file is used elsewhere",
        "使用了锁定文件中的标识",
        "choose another id: base rules cannot be replaced",
        "请换一个标识：基础规则不可替换",
    ),
    "P007": (
        "not a valid id",
        "标识无效",
        "use lower-case letters, digits, `-`, `.`, `_`, and `/` between levels",
        "只使用小写字母、数字、`-`、`.`、`_`，层级之间用 `/`",
    ),
    "P008": (
        "more than 1,000 combinations",
        "超过 1,000 种组合",
        "name a category or a role that includes the others",
        "请改用数据类别或包含它们的角色",
    ),
    "P010": (
        "no such role",
        "没有该角色",
        "mend the spelling, or declare the role in people.yaml",
        "请改正拼写，或在 people.yaml 中声明该角色",
    ),
    "P011": (
        "no such office",
        "没有该机构",
        "mend the spelling, or declare the office in people.yaml",
        "请改正拼写，或在 people.yaml 中声明该机构",
    ),
    "P012": (
        "no such asset or category",
        "没有该资产或类别",
        "mend the spelling, or list the asset in catalog/",
        "请改正拼写，或在 catalog/ 中登记该资产",
    ),
    "P013": (
        "no such action",
        "没有该操作",
        "write read, create, update, delete or other",
        "请写 read、create、update、delete 或 other",
    ),
    "P014": (
        "no such mask profile",
        "没有该脱敏方案",
        "mend the spelling, or write the profile in masks.yaml",
        "请改正拼写，或在 masks.yaml 中编写该方案",
    ),
    "P015": (
        "a person has the name of a role, or a space at an end",
        "人员与角色同名，或标识首尾有空格",
        "rename the role, or mend the id after `user:`",
        "请给角色改名，或改正 `user:` 之后的标识",
    ),
    "P016": (
        "one name for an asset and a category",
        "资产与类别同名",
        "a rule about one would also mean the other: rename one",
        "规则会同时指向两者：请改名",
    ),
    "P017": (
        "owner is not in people.yaml",
        "责任部门不在 people.yaml 中",
        "add the office to people.yaml",
        "请在 people.yaml 中添加该机构",
    ),
    "P018": (
        "a grant is given to a name that is both a role and an office",
        "授权对象既是角色又是机构",
        "rename the role or the office",
        "请给角色或机构改名",
    ),
    "P019": (
        "a grant is approved by an office that does not own the data",
        "批准共享授权的机构并不拥有该数据",
        "name the owner of the data, or an office above it, under `approval: {by: …}`",
        "请在 `approval: {by: …}` 中写数据的责任部门或其上级机构",
    ),
    "P020": (
        "the condition cannot be read",
        "条件无法解析",
        "mend the expression at the caret",
        "请改正脱字符处的表达式",
    ),
    "P021": (
        "no such name or function",
        "没有该名称或函数",
        "use a name that docs/policy.md lists",
        "请使用 docs/policy.zh-CN.md 列出的名称",
    ),
    "P022": (
        "wrong kind or a value that can never be",
        "类型不符，或不可能取到的值",
        "compare it with a value of its kind that it can have",
        "请与同类且可能出现的值比较",
    ),
    "P023": (
        "the condition is too large",
        "条件过大",
        "split it into several rules",
        "请拆分为多条规则",
    ),
    "P024": (
        "a form that is not part of conditions",
        "条件中不允许的写法",
        "allowed are names, literals, comparisons, in, and, or, not, has(…), between(…)",
        "可用：名称、字面值、比较、in、and、or、not、has(…)、between(…)",
    ),
    "P025": (
        "the value may be unknown",
        "该值可能未知",
        "say what holds while it is unknown: `risk.known`, or an `or`",
        "请写明未知时的处理：`risk.known`，或使用 `or`",
    ),
    "P030": (
        "a level without a comparator",
        "级别缺少比较符",
        'write "<= important" for a ceiling or ">= core" for a floor',
        '上限请写 "<= important"，下限请写 ">= core"',
    ),
    "P031": (
        "no such level",
        "没有该级别",
        "write general-1 … general-4, important or core",
        "请写 general-1 … general-4、important 或 core",
    ),
    "P032": (
        "no grade satisfies the level",
        "没有级别满足该条件",
        "mend the bounds: no grade lies between them",
        "请改正界限：没有级别位于其间",
    ),
    "P040": (
        "roles include each other in a circle",
        "角色循环包含",
        "remove one of the steps of the circle",
        "请去掉循环中的一步",
    ),
    "P041": (
        "offices form a circle",
        "机构循环",
        "remove one of the steps of the circle",
        "请去掉循环中的一步",
    ),
    "P042": (
        "no such parent or included role",
        "没有该上级或被包含的角色",
        "mend the spelling, or declare it in people.yaml",
        "请改正拼写，或在 people.yaml 中声明",
    ),
    "P043": (
        "a reserved word is declared",
        "声明了保留字",
        "choose another name: signed-in, person and service are words of the rules",
        "请换一个名称：signed-in、person、service 是规则用词",
    ),
    "P044": (
        "deeper than 64 levels",
        "超过 64 层",
        "make the tree flatter",
        "请减少层级",
    ),
    "P045": (
        "no such time zone",
        "没有该时区",
        "use an IANA name such as Asia/Shanghai",
        "请使用 IANA 时区名，例如 Asia/Shanghai",
    ),
    "P050": (
        "a city or emergency file allows",
        "地市或应急文件写了允许规则",
        "ask the province for the rule: a city file may only deny",
        "请向省级申请该规则：地市文件只能拒绝",
    ),
    "P051": (
        "a city file speaks for another office",
        "地市文件涉及其他机构",
        "name the office of the file or one below it",
        "请写该文件的机构或其下级",
    ),
    "P052": (
        "a department file speaks about data of others",
        "部门文件涉及他人的数据",
        "name assets that the department owns, or ask the owner for the rule",
        "请写明该部门拥有的资产，或请数据所有者制定规则",
    ),
    "P054": (
        "an emergency file is not named for its level",
        "应急文件名与其级别不符",
        "name it I.yaml, II.yaml, III.yaml or IV.yaml and write the same level in it",
        "文件名应为 I.yaml、II.yaml、III.yaml 或 IV.yaml，文件内写相同的 `level`",
    ),
    "P060": (
        "no such technique, or its numbers are wrong",
        "没有该脱敏方式，或参数有误",
        "write keep, redact, partial(first,last), hash, truncate(n) or drop",
        "请写 keep、redact、partial(first,last)、hash、truncate(n) 或 drop",
    ),
    "P061": (
        "a profile key is neither path, identifier nor grade",
        "方案的键不是路径、标识类型或级别",
        "write a path that begins with $, an identifier, a grade, or *",
        "请写以 $ 开头的路径、标识类型、级别或 *",
    ),
    "P070": (
        "a word that means nothing on this effect",
        "该项对此效果没有意义",
        "remove it, or change the effect",
        "请删除该项，或改变效果",
    ),
    "P071": (
        "log is not written or synced",
        "log 不是 written 或 synced",
        "write `log: written` or `log: synced`",
        "请写 `log: written` 或 `log: synced`",
    ),
    "P072": (
        "step_up is not aal1, aal2 or aal3",
        "step_up 不是 aal1、aal2 或 aal3",
        "write aal1, aal2 or aal3",
        "请写 aal1、aal2 或 aal3",
    ),
    "P073": (
        "no such reason",
        "没有该原因代码",
        "use a code that `gateway explain-code` knows",
        "请使用 `gateway explain-code` 认识的代码",
    ),
    "P080": (
        "the rule has expired",
        "规则已过期",
        "remove the rule, or extend `expires`",
        "请删除该规则，或延长 `expires`",
    ),
    "P081": (
        "expires is not a date",
        "expires 不是日期",
        "write it like 2027-12-31",
        "请写成 2027-12-31 的形式",
    ),
    "P085": (
        "open to callers without a sign-in",
        "对未登录者开放",
        "write `signed-in` if that is not meant",
        "若非本意，请改为 `signed-in`",
    ),
    "P086": (
        "no rule allows anything, everything is denied",
        "没有允许规则，全部拒绝",
        "write a rule with `effect: allow` into rules/NAME.yaml",
        "请在 rules/名称.yaml 中写 `effect: allow` 的规则",
    ),
    "P087": (
        "model.conf differs from the shipped one",
        "model.conf 与随附文件不同",
        "restore the shipped file, or remove it",
        "请恢复随附文件，或将其删除",
    ),
    "P088": (
        "a file that is not read: not .yaml, or outside rules/ and cities/",
        "不会被读取的文件：不是 .yaml，或不在 rules/、cities/ 中",
        "rename it to .yaml, move it into the right folder, or remove it",
        "请改名为 .yaml、移到正确的目录，或移走",
    ),
    "P089": (
        "there are no rules in this file",
        "该文件中没有规则",
        "write them under `rules:`, or remove the file",
        "请在 `rules:` 下写规则，或删除该文件",
    ),
    "P090": (
        "a test supposes an unknown word",
        "测试设定了未知的项",
        "see the suggestion",
        "见消息中的建议",
    ),
    "P091": (
        "a test supposes an impossible value",
        "测试设定了不可能的值",
        "write a value that it can have",
        "请写可能出现的值",
    ),
    "P092": (
        "expect is not permit, challenge or deny",
        "expect 不是 permit、challenge 或 deny",
        "write permit, challenge or deny",
        "请写 permit、challenge 或 deny",
    ),
    "P093": (
        "a test names an unknown rule",
        "测试引用了不存在的规则",
        "name a rule of this folder",
        "请写本目录中存在的规则",
    ),
    "P094": (
        "a test's request is not `GET /path`",
        "测试的 request 不是 `GET /路径`",
        "write a method and a path: GET /civil/households/1",
        "请写方法与路径：GET /civil/households/1",
    ),
    "P095": (
        "there are no tests: nothing would notice a rule that allows too much",
        "没有测试：规则放行过多时无从发现",
        "write tests/NAME.yaml: `tests: [{name, given, request, expect}]`",
        "请编写 tests/名称.yaml：`tests: [{name, given, request, expect}]`",
    ),
    "P096": (
        "every account of this machine can change it",
        "本机的每个账号都能修改它",
        "chmod o-w what is named: one line in there would allow everything",
        "请对所指的文件或目录执行 chmod o-w：其中一行就能放行一切",
    ),
    "P097": (
        "at reload: not every worker could prepare it in time",
        "重新加载时：并非所有工作进程及时准备好",
        "look at the notices `policy.unprepared`, then reload again",
        "请查看 `policy.unprepared` 通知后重新加载",
    ),
    "P098": (
        "at load: a policy test fails",
        "加载时：策略测试未通过",
        "mend the rule, or the test when it asks for the wrong thing",
        "请改正规则；若测试的期望有误，请改正测试",
    ),
    "P099": (
        "at load: the folder changed while it was read",
        "加载时：读取过程中目录发生变化",
        "finish editing and reload again",
        "请在编辑完成后重新加载",
    ),
    "P110": (
        "the file was not laid out: something in it would be lost",
        "未整理该文件：其中的内容会丢失",
        "remove what the message names, or lay the file out by hand",
        "请删除消息中指出的内容，或手工整理该文件",
    ),
    "P111": (
        "a file was not replaced or written",
        "文件未被替换或写入",
        "mend what the message names; nothing in the file has changed",
        "请解决消息中指出的问题；文件内容没有改变",
    ),
    "P112": (
        "a table is not UTF-8",
        "表格不是 UTF-8 编码",
        "save it as “CSV UTF-8”, or say --encoding gb18030 if it is GBK",
        "请另存为“CSV UTF-8”；若确为 GBK 编码，请加 --encoding gb18030",
    ),
    "P113": (
        "a table is not parted by commas",
        "表格不以半角逗号分隔",
        "save it as “CSV UTF-8”, with commas",
        "请另存为以半角逗号分隔的“CSV UTF-8”",
    ),
    "P114": (
        "a control character stands in a table",
        "表格中有控制字符",
        "remove it; lines end in LF or CRLF",
        "请删除；行尾用 LF 或 CRLF",
    ),
    "P115": (
        "quotes in a table are not closed, or stand in the middle of a cell",
        "表格中的引号没有闭合，或出现在单元格中间",
        "put quotes around the whole cell and write each inner one twice",
        "请给整个单元格加引号，内部的引号写两次",
    ),
    "P116": (
        "a table has an unknown column",
        "表格有未知的列",
        "write the names that `gateway policy export --csv` writes",
        "请使用 `gateway policy export --csv` 写出的列名",
    ),
    "P117": (
        "a column of a table is missing or stands twice",
        "表格的列缺失或重复",
        "add it to the first row: a rule without its conditions would look complete",
        "请补入首行：缺少条件的规则看上去仍是完整的",
    ),
    "P118": (
        "a row of a table is shorter or longer than its header",
        "表格某行与表头的列数不同",
        "put cells with commas in quotes",
        "含逗号的单元格请加引号",
    ),
    "P119": (
        "full-width punctuation or an invisible character in a word of a table",
        "表格的词语中有全角标点或不可见字符",
        "write plain ASCII punctuation; names of a list are parted by `;`",
        "请使用半角标点；列表中的名称以 `;` 分隔",
    ),
    "P120": (
        "a space around a word of a table, or an empty name in a list",
        "表格的词语首尾有空格，或列表中有空名称",
        "remove it: the word would match nothing",
        "请删除：这样的词匹配不到任何内容",
    ),
    "P121": (
        "a row of a table names a file in which its layer does not stand",
        "表格某行所写的文件与其层级不符",
        "base and province stand in rules/NAME.yaml, city:ORG in cities/, department:ORG in departments/",
        "`base` 与 `province` 写在 rules/名称.yaml，`city:机构` 在 cities/，`department:机构` 在 departments/",
    ),
    "P122": (
        "a table cannot carry a rule as it is",
        "表格无法原样表达某条规则",
        "look for spaces around words, full-width punctuation in names, control characters",
        "请检查词语首尾的空格、名称中的全角标点与控制字符",
    ),
    "P123": (
        "a row with a line break cannot be a line of a casbin file",
        "含换行的行无法写成 casbin 文件的一行",
        "ask for -o json, or remove it from the rule",
        "请使用 -o json，或从规则中删除",
    ),
    "P11A": (
        "a pilot was asked for while an emergency level is in force",
        "应急级别生效期间不能开始试运行",
        "start it when the level has ended",
        "请在应急级别结束后再开始",
    ),
    "P11B": (
        "the candidate of a pilot is what is in force already",
        "试运行的候选策略与现行策略相同",
        "edit the rules of the candidate first",
        "请先修改候选策略的规则",
    ),
    "P11C": (
        "the candidate of a pilot has another catalog, other devices or other sites; a pilot compares rules",
        "试运行的候选策略在数据目录、设备或地点上与现行不同；试运行只比较规则",
        "bring this change into force first: `gateway reload`",
        "请先用 `gateway reload` 使该改动生效",
    ),
    # --- native mode ---------------------------------------------------------------------------------
    "P130": (
        "casbin/: a file cannot be read, or is not UTF-8",
        "casbin/：文件无法读取，或不是 UTF-8 编码",
        "restore it or save it as UTF-8; remove casbin/ to leave native mode",
        "请恢复或另存为 UTF-8；删除 casbin/ 即退出原生模式",
    ),
    "P131": (
        "casbin/: a file is not read",
        "casbin/：文件不会被读取",
        "native mode reads model.conf, policy.csv and request.yaml: rename or remove the rest",
        "原生模式只读取 model.conf、policy.csv 和 request.yaml：其余请改名或移走",
    ),
    "P132": (
        "model.conf: a line defines nothing, or something a second time",
        "model.conf：某行不构成定义，或重复定义",
        "write `key = …` in its section once; end a line with \\ when it goes on",
        "请在所属节中写一次 `键 = …`；续行时行尾加 \\",
    ),
    "P133": (
        "model.conf: a definition is missing; policy.csv: there is no row",
        "model.conf：缺少定义；policy.csv：没有策略行",
        "add what the message names",
        "请补充消息中指出的内容",
    ),
    "P134": (
        "model.conf: what stands in `r` or `p` is not a name",
        "model.conf：`r` 或 `p` 中的内容不是名称",
        "use ASCII letters, digits and _, each once, parted by plain commas",
        "只使用半角字母、数字和 _，各写一次，以半角逗号分隔",
    ),
    "P135": (
        "model.conf: casbin knows no such effect, or the columns do not fit it",
        "model.conf：casbin 不支持该效果，或各列与之不符",
        "write one of casbin's five effects, with the columns it needs",
        "请写 casbin 的五种效果之一，并定义其所需的列",
    ),
    "P136": (
        "model.conf: the effect allows what no row speaks about",
        "model.conf：该效果会允许策略未涉及的请求",
        "ask for an allow as well, or say `allow_by_default: true` in request.yaml",
        "请同时要求允许规则，或在 request.yaml 中写 `allow_by_default: true`",
    ),
    "P138": (
        "model.conf: `r2`, `p2`, `e2` or `m2` would never be asked",
        "model.conf：`r2`、`p2`、`e2`、`m2` 永远不会被使用",
        "move its rows to `p`, or remove it",
        "请将其行移到 `p`，或删除",
    ),
    "P139": (
        "model.conf: not a role definition, or out of number",
        "model.conf：不是角色定义，或编号不连续",
        "write `g = _, _`, `_, _, _` or `_, _, (_, _)`; g, g2, g3 without a gap",
        "请写 `g = _, _`、`_, _, _` 或 `_, _, (_, _)`；按 g、g2、g3 连续编号",
    ),
    "P140": (
        "casbin/: an expression cannot be read, or is too large",
        "casbin/：表达式无法解析或过大",
        "mend it at the caret, with plain ASCII punctuation",
        "请在标记处改正，并使用半角标点",
    ),
    "P141": (
        "casbin/: no such name, attribute or function",
        "casbin/：没有这样的名称、属性或函数",
        "see the suggestion; texts stand in quotes",
        "见消息中的建议；文本须放入引号",
    ),
    "P142": (
        "casbin/: this form is not part of matchers",
        "casbin/：匹配器中不允许这种写法",
        "keep to comparisons, `in`, &&, ||, !, + - * / % and the listed functions",
        "只使用比较、`in`、&&、||、!、+ - * / % 与所列函数",
    ),
    "P143": (
        "casbin/: kinds do not go together, or `in` looks inside a text (warning)",
        "casbin/：类型不匹配，或 `in` 在文本中查找子串（警告）",
        "columns are texts; compare like with like, and put lists in brackets",
        "各列都是文本；请比较同类型的值，列表放入括号",
    ),
    "P144": (
        "casbin/: a pattern is not good, may take for ever, or comes from the request",
        "casbin/：模式有误、匹配可能无限耗时，或来自请求",
        "write it into the row, with at most two `*`, and no repetition inside a repetition",
        "请写入策略行，最多两处 `*`，且重复之中不再重复",
    ),
    "P145": (
        "policy.csv: no such kind of row",
        "policy.csv：没有这种行",
        "begin the row with `p`, `g` or another kind of the model, in lower case",
        "行首请写 `p`、`g` 等模型中的类型，小写",
    ),
    "P146": (
        "policy.csv: too few or too many values, or an empty one (warning)",
        "policy.csv：列数不对，或有空值（警告）",
        "write as many values as the model defines; a comma parts values also inside quotes",
        "请按模型定义的列数书写；引号内的逗号同样会分列",
    ),
    "P147": (
        "policy.csv: the effect is not allow or deny, or a deny changes nothing",
        "policy.csv：效果不是 allow 或 deny，或拒绝行不起作用",
        "write allow or deny; choose an effect in model.conf that asks for denies",
        "请写 allow 或 deny；并在 model.conf 中选用考虑拒绝的效果",
    ),
    "P148": (
        "policy.csv: full-width punctuation, a character that cannot be seen, or a path with text that arrives escaped",
        "policy.csv：全角标点、不可见字符，或路径含有会以转义形式到达的文字",
        "use plain ASCII punctuation and spaces; write paths as they are sent: /%E6%88%B7",
        "请使用半角标点与空格；路径请按发送形式书写：/%E6%88%B7",
    ),
    "P149": (
        "policy.csv: quotes around a value",
        "policy.csv：值带有引号",
        "remove them: casbin keeps them as part of the value",
        "请去掉：casbin 会把引号当作值的一部分",
    ),
    "P150": (
        "policy.csv: a comment behind a value",
        "policy.csv：值后有注释",
        "put it on a line of its own",
        "请另起一行",
    ),
    "P151": (
        "policy.csv: a bracket has no partner",
        "policy.csv：括号没有配对",
        "close every bracket that is opened on the line",
        "请在同一行内闭合所有括号",
    ),
    "P152": (
        "policy.csv: a priority is not a whole number",
        "policy.csv：优先级不是整数",
        "write a number from 0; smaller ones are asked first",
        "请写从 0 起的整数；数字越小越先判断",
    ),
    "P153": (
        "policy.csv: roles include each other in a circle",
        "policy.csv：角色之间形成循环",
        "remove one of the steps",
        "请去掉其中一步",
    ),
    "P154": (
        "beside casbin/ a YAML rule allows, or has the name of a row",
        "与 casbin/ 并用的 YAML 规则是允许规则，或与策略行同名",
        "beside casbin/ rules only deny: write a row, or leave native mode",
        "与 casbin/ 并用时规则只能拒绝：请写成策略行，或退出原生模式",
    ),
    "P155": (
        "request.yaml: nothing fills a token of `r`, or there is no such token or name",
        "request.yaml：`r` 的字段没有来源，或没有这样的字段或名称",
        "name a value for each token: subject.id, subject, path, route, method, action, …",
        "请为每个字段指定来源：subject.id、subject、path、route、method、action 等",
    ),
    "P156": (
        "request.yaml: a function for roles is missing, unknown or stands at the wrong place",
        "request.yaml：角色函数缺失、未知或位置不对",
        "say `matching`, `domain_matching` or `conditions` for a role definition of the model",
        "请为模型中的角色定义写 `matching`、`domain_matching` 或 `conditions`",
    ),
    "P157": (
        "model.conf: something is defined that the matcher never looks at (warning)",
        "model.conf：定义了匹配器从不使用的内容（警告）",
        "use it in the matcher, or remove it",
        "请在匹配器中使用，或删除",
    ),
    "P158": (
        "policy.csv: a sign-in with the id of a role would hold it (warning)",
        "policy.csv：登录标识与角色同名者会拥有该角色（警告）",
        "give roles a prefix that no sign-in carries: role:admin",
        "请给角色加登录标识不会有的前缀：role:admin",
    ),
    "P159": (
        "policy.csv: so many rows that a decision takes milliseconds (warning)",
        "policy.csv：行数过多，一次决策需数毫秒（警告）",
        "move rules to YAML: they are indexed",
        "请将规则改写为 YAML：它们建有索引",
    ),
    "P160": (
        "the policies are not signed",
        "策略未签名",
        "have them signed: gateway policy sign DIR --key FILE",
        "请签名：gateway policy sign 目录 --key 文件",
    ),
    "P161": (
        "a file is not what was signed, or was added or removed since",
        "文件与签名时不同，或在签名后新增、移走",
        "review the change, then sign again",
        "请核对改动后重新签名",
    ),
    "P162": (
        "a link, a special file or an odd name cannot be signed",
        "链接、特殊文件或异常名称不能签名",
        "replace it with a regular file with a plain name, or remove it",
        "请换成名称普通的常规文件，或将其移走",
    ),
    "P163": (
        "too few of those who must sign have signed",
        "有效签名不足",
        "have it signed by those whom `policy_signers` names",
        "请由 `policy_signers` 中的签名人签名",
    ),
    "P164": (
        "bundle.sig is not a signed listing of policies",
        "bundle.sig 不是策略清单的签名文件",
        "sign again: gateway policy sign DIR --key FILE",
        "请重新签名：gateway policy sign 目录 --key 文件",
    ),
    "P165": (
        "the signature of somebody who may sign is wrong",
        "签名人的签名无效",
        "somebody changed bundle.sig: review the policies, then sign again",
        "bundle.sig 已被改动：请核对策略后重新签名",
    ),
    "P166": (
        "the policies lack the emergency level that is in force or asked for",
        "策略缺少生效中或所申请的应急级别",
        "write emergency/LEVEL.yaml, or end the level first",
        "请编写 emergency/级别.yaml，或先结束该级别",
    ),
    "P167": (
        "at start: the pinned revision is not stored any more",
        "启动时：固定的修订版已不再保存",
        "restore it from a backup, or follow the policy folder: gateway serve --follow",
        "请从备份恢复，或改为跟随策略目录：gateway serve --follow",
    ),
    "P168": (
        "the policies take back something of the emergency level that is in force",
        "策略撤销了生效中的应急级别的部分内容",
        "keep its rules and its mask, or let two operators end the level first",
        "请保留其规则与脱敏方案，或先由两名操作员结束该级别",
    ),
    # --- how good the tests are -------------------------------------------------------------------
    "M001": (
        "a rule could be wrong in this way and no test would notice",
        "规则若出现这种错误，没有测试会发现",
        "add the suggested test, or one of your own, to tests/NAME.yaml",
        "请在 tests/名称.yaml 中加入建议的测试，或自行编写",
    ),
    "M002": (
        "no test shows that this rule decides anything",
        "没有测试表明该规则起作用",
        "write a test in which it has a say: `rule: ID`",
        "请编写由它起作用的测试：`rule: 标识`",
    ),
    # --- what lint finds: warnings all ---------------------------------------------------------------
    "L001": (
        "no request can ever meet this rule",
        "没有任何请求能满足该规则",
        "correct its data, action, level or condition, or remove it",
        "请更正数据、操作、级别或条件，或删除该规则",
    ),
    "L002": (
        "a comparison comes out the same for every request that the rule is about",
        "某个比较对该规则涉及的所有请求结果都相同",
        "correct the value, or leave the comparison out",
        "请更正取值，或去掉该比较",
    ),
    "L003": (
        "everything that this rule allows is denied by others",
        "该规则允许的一切都被其他规则拒绝",
        "narrow the deny, or remove the allow",
        "请收窄拒绝规则，或删除允许规则",
    ),
    "L004": (
        "another rule with the same effect and duties always applies with this one",
        "凡该规则适用之处，另有效果与义务相同的规则适用",
        "remove one of them, or say what should differ",
        "请删除其一，或写明两者应有的区别",
    ),
    "L005": (
        "an allow and a deny are about just the same requests",
        "允许规则与拒绝规则针对完全相同的请求",
        "keep the one that is meant",
        "请只保留符合本意的一条",
    ),
    "L006": (
        "two names of roles or people look alike",
        "两个角色或人员的名称看起来相同",
        "rename one of them, or make sure that both are meant",
        "请改名，或确认两者确为不同对象",
    ),
    "L007": (
        "the rule has expired",
        "该规则已过期",
        "remove it, or renew it",
        "请删除或续期",
    ),
    "L008": (
        "a rule without owner or title",
        "规则缺少负责机构或标题",
        "add `owner:` and `title:`",
        "请添加 `owner:` 与 `title:`",
    ),
    "L009": (
        "a masked resident id can be worked out from the fields beside it",
        "可由同时显示的字段推算出已脱敏的身份证号",
        "show at most partial(1,1) of the number, or hide the day of birth",
        "证件号最多显示 partial(1,1)，或隐藏出生日期",
    ),
    "L010": (
        "an allow for all data at every level",
        "允许访问所有级别的所有数据",
        "name the data, or a level",
        "请写明数据，或限定级别",
    ),
    "L011": (
        "no decision of the record names this rule",
        "已记录的判定中没有一个涉及该规则",
        "remove it if nobody needs it",
        "若无人需要请删除",
    ),
    "L099": (
        "a rule could not be looked at completely",
        "未能完整检查该规则",
        "split its condition, or name fewer roles",
        "请拆分其条件，或减少所列角色",
    ),
    # --- the catalog -------------------------------------------------------------------------------
    "K001": (
        "unknown key",
        "未知的键",
        "see the suggestion: only the listed keys are read here",
        "见消息中的建议：此处只读取列出的键",
    ),
    "K002": (
        "key missing",
        "缺少键",
        "add the key that the message names",
        "请添加消息中指出的键",
    ),
    "K003": (
        "wrong form",
        "形式不对",
        "write the form that the message names",
        "请按消息中的形式书写",
    ),
    "K004": (
        "no such grade",
        "没有该级别",
        "write general-1 … general-4, important or core",
        "请写 general-1 … general-4、important 或 core",
    ),
    "K005": (
        "no such contract",
        "没有该契约",
        "write learn, warn or enforce",
        "请写 learn、warn 或 enforce",
    ),
    "K006": (
        "no such identifier",
        "没有该标识类型",
        "use an identifier that docs/policy.md lists",
        "请使用 docs/policy.zh-CN.md 列出的标识类型",
    ),
    "K007": (
        "not an endpoint",
        "不是端点",
        "write a method and a template: GET /civil/households/{id}",
        "请写方法与模板：GET /civil/households/{id}",
    ),
    "K008": (
        "no such office",
        "没有该机构",
        "declare the office in people.yaml, or mend the spelling",
        "请在 people.yaml 中声明该机构，或改正拼写",
    ),
    "K009": (
        "not a JSON path",
        "不是 JSON 路径",
        "write the masking subset of JSONPath: $.a.b, $..name, $.list[*].x",
        "请使用脱敏所支持的 JSONPath：$.a.b、$..name、$.list[*].x",
    ),
    "K010": (
        "asset declared twice",
        "资产重复登记",
        "keep one of the two",
        "请只保留其中之一",
    ),
    "K011": (
        "two endpoints for the same requests",
        "两个端点表示相同请求",
        "keep one of the two",
        "请只保留其中之一",
    ),
    "K012": (
        "templates cross, the crossing is not listed",
        "模板交叉且交叉处未登记",
        "list the endpoint where they cross",
        "请登记交叉处的端点",
    ),
    "K013": (
        "an API names an unknown asset",
        "接口引用未登记的资产",
        "mend the spelling of `data`, or list the asset in catalog/",
        "请改正 `data` 的拼写，或在 catalog/ 中登记该资产",
    ),
    "K014": (
        "an endpoint lies outside its API",
        "端点不在其接口范围内",
        "let the endpoint begin with the prefix of `match`, or name the asset under another API",
        "端点须以 `match` 的前缀开头，或将资产写入其他接口",
    ),
    "K015": (
        "no such path parameter",
        "没有该路径参数",
        "name a parameter that stands in the path between braces",
        "请写路径花括号中的参数",
    ),
    "K016": (
        "field labelled twice",
        "字段重复标注",
        "keep one label for each field",
        "每个字段只保留一个标注",
    ),
    "K017": (
        "`opaque` beside `data`",
        "`opaque` 与 `data` 并存",
        "say `opaque` at the endpoint in the catalog instead",
        "请改在目录的端点处写 `opaque`",
    ),
    "K018": (
        "no such action",
        "没有该操作",
        "write read, create, update, delete or other",
        "请写 read、create、update、delete 或 other",
    ),
    "K021": (
        "an API without data denies everything",
        "未写数据的接口全部拒绝",
        "name an asset under `data`, or give a `level` for a first try",
        "请在 `data` 中写资产编号，或先填写 `level`",
    ),
    "K022": (
        "an endpoint lies below an API that does not carry its asset",
        "端点位于未承载其资产的接口之下",
        "name the asset under `data` of that API, instead of its `level`",
        "请在该接口的 `data` 中写该资产，取代其 `level`",
    ),
    # --- devices.yaml ------------------------------------------------------------------------------
    "D001": (
        "unknown key, or no `devices:`",
        "未知的键，或缺少 `devices:`",
        "write `devices:` with a list; only id, org, managed and thumbprints are read",
        "请写 `devices:` 及其列表；只读取 id、org、managed 与 thumbprints",
    ),
    "D002": (
        "not a list, or more than 200,000",
        "不是列表，或超过 200,000 台",
        "begin each device with `- `",
        "每台设备以 `- ` 开头",
    ),
    "D003": (
        "a device without `id`",
        "设备缺少 `id`",
        "write {id: laptop-7, org: prov/civil, managed: true}",
        "请写 {id: laptop-7, org: prov/civil, managed: true}",
    ),
    "D004": (
        "not a valid id",
        "标识无效",
        "use 1 to 128 visible characters, in quotes when they are all digits",
        "请使用 1 至 128 个可见字符；全为数字时加引号",
    ),
    "D005": (
        "no such office",
        "没有该机构",
        "declare the office in people.yaml, or mend the spelling",
        "请在 people.yaml 中声明该机构，或改正拼写",
    ),
    "D006": (
        "`managed` is not true or false",
        "`managed` 不是 true 或 false",
        "write true or false",
        "请写 true 或 false",
    ),
    "D007": (
        "not a thumbprint",
        "不是指纹",
        "write the base64url SHA-256 of the certificate, 43 characters",
        "请写证书 SHA-256 的 base64url 形式，共 43 个字符",
    ),
    "D008": (
        "device stands twice",
        "设备重复",
        "keep one of the two",
        "请只保留其中之一",
    ),
    "D009": (
        "thumbprint stands twice",
        "指纹重复",
        "a certificate belongs to one device: keep one of the two",
        "一个证书只属于一台设备：请只保留其中之一",
    ),
    # --- sites.yaml --------------------------------------------------------------------------------
    "B001": (
        "unknown key, or no `sites:`",
        "未知的键，或缺少 `sites:`",
        "write `sites:` with a list; only name, networks and kind are read",
        "请写 `sites:` 及其列表；只读取 name、networks 与 kind",
    ),
    "B002": (
        "a site without a name",
        "地点缺少名称",
        "add a `name` of 1 to 64 characters",
        "请添加 1 至 64 个字符的 `name`",
    ),
    "B003": (
        "a site without networks",
        "地点缺少网段",
        "add `networks: [10.20.0.0/16]`",
        "请添加 `networks: [10.20.0.0/16]`",
    ),
    "B004": (
        "not a network",
        "不是网段",
        "write it like 10.20.0.0/16, with the bits after the prefix zero",
        "请写成 10.20.0.0/16 的形式，前缀之后的位须为零",
    ),
    "B005": (
        "no such kind",
        "没有该种类",
        "write office, dc, vpn, nat or mobile",
        "请写 office、dc、vpn、nat 或 mobile",
    ),
    "B006": (
        "name or network stands twice",
        "名称或网段重复",
        "keep one of the two",
        "请只保留其中之一",
    ),
    # --- every YAML file ---------------------------------------------------------------------------
    "Y001": (
        "the file cannot be read",
        "文件无法读取",
        "check the name and the permissions; `gateway init` writes a starter into an empty folder",
        "请检查文件名与权限；`gateway init` 会在空目录中生成初始文件",
    ),
    "Y002": (
        "larger than 16 MiB",
        "超过 16 MiB",
        "split the file",
        "请拆分该文件",
    ),
    "Y003": (
        "not UTF-8",
        "不是 UTF-8",
        "save it as UTF-8; GBK is not read",
        "请另存为 UTF-8 编码，不支持 GBK",
    ),
    "Y010": (
        "not valid YAML",
        "不是有效的 YAML",
        "mend it at the caret: spaces and no tabs, `key: value`, closed quotes and brackets",
        "请在脱字符处改正：只用空格、`键: 值`、引号与括号成对",
    ),
    "Y011": (
        "nested too deeply",
        "嵌套过深",
        "make it flatter",
        "请减少层级",
    ),
    "Y012": (
        "an alias",
        "使用了别名",
        "write the value out",
        "请直接写出值",
    ),
    "Y013": (
        "a key that is not a word",
        "键不是词",
        "write `key: value`",
        "请写成 `键: 值`",
    ),
    "Y014": (
        "a key stands twice",
        "键重复",
        "keep one of them",
        "请只保留其中之一",
    ),
    "Y015": (
        "a tag",
        "使用了标签",
        "remove it; put texts in quotes",
        "请删除；文本放入引号",
    ),
}

_BLANK = re.compile(r"`?\{[a-z_0-9]+\}`?")  # where a fault names what it found


def explained(code: str) -> list[Explained]:
    """What this code means; more than one when it is told of several mistakes, none when there is no such code."""
    from gateway.config.codes import CODES
    from gateway.reasons import REASONS

    name, upper = code.lower(), code.upper()
    if name in REASONS:
        reason = REASONS[name]
        return [Explained(name, reason.en, reason.zh, reason.remedy_en, reason.remedy_zh, reason.status)]
    if upper in FILES:
        return [Explained(upper, *FILES[upper])]
    found = [meaning for meaning in CODES.values() if meaning.code == upper]
    return [Explained(upper, _bare(one.en), _bare(one.zh), _bare(one.remedy_en), _bare(one.remedy_zh)) for one in found]


def _bare(text: str) -> str:
    return _BLANK.sub("…", text)


def known() -> list[str]:
    """Every code there is."""
    from gateway.config.codes import CODES
    from gateway.reasons import REASONS

    return [*REASONS, *dict.fromkeys(meaning.code for meaning in CODES.values()), *FILES]
