"""Markup that must be refused: what reads files, grows without bound, or is not understood."""

from itertools import pairwise

NAMESPACE = "http://www.w3.org/2001/10/synthesis"


def attack(inner: str) -> str:
    return f"<speak>{inner}</speak>"


LAUGHS = "".join(
    f'<!ENTITY {after} "{f"&{before};" * 10}">' for before, after in pairwise("abcdefghij")
)
ATTACKS = {
    "audio": attack('<audio src="/etc/passwd"/>'),
    "audio by http": attack('<audio src="http://169.254.169.254/">x</audio>'),
    "external entity": '<!DOCTYPE speak [<!ENTITY x SYSTEM "file:///etc/passwd">]><speak>&x;</speak>',
    "parameter entity": '<!DOCTYPE s [<!ENTITY % x SYSTEM "http://a/">%x;]><speak>a</speak>',
    "external subset": '<!DOCTYPE speak SYSTEM "http://127.0.0.1/x.dtd"><speak>a</speak>',
    "billion laughs": f'<!DOCTYPE s [<!ENTITY a "ha">{LAUGHS}]><speak>&j;</speak>',
    "quadratic": f'<!DOCTYPE s [<!ENTITY a "{"x" * 50_000}">]><speak>{"&a;" * 9_000}</speak>',
    "undefined entity": attack("&nbsp;"),
    "deep": "<speak>" + "<p>" * 100_000,
    "deeper than any text": "<speak>" + "<p>" * 60_000,
    "deep and closed": attack("<s>" * 17 + "</s>" * 17),
    "breaks": attack("<break/>" * 1_000_000),
    "long breaks": attack('<break time="10s"/>' * 13),
    "many elements": attack("<s/>" * 2_001),
    "one long break": attack('<break time="10.1s"/>'),
    "huge attribute": attack(f'<sub alias="{"a" * 150_000}">b</sub>'),
    "many attributes": "<speak " + " ".join(f'a{one}="b"' for one in range(9_000)) + "/>",
    "huge name": attack(f"<{'a' * 150_000}/>"),
    "huge document": attack("a" * 10_000_000),
    "surrogate": attack("<sub alias='\ud800'>a</sub>"),
    "character reference": attack("&#xD800;"),
    "nul": attack("&#0;"),
    "instruction": attack("<?php echo 1 ?>"),
    "stylesheet": '<?xml-stylesheet href="http://a/"?><speak>a</speak>',
    "prefix": '<x:speak xmlns:x="http://www.w3.org/2001/10/synthesis">a</x:speak>',
    "foreign namespace": '<speak xmlns="http://www.w3.org/1999/xhtml">a</speak>',
    "foreign element": attack('<mstts:express-as xmlns:mstts="http://a/">b</mstts:express-as>'),
    "include": attack('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/hosts"/>'),
    "schema": f'<speak xmlns="{NAMESPACE}" schemaLocation="http://a/ b">a</speak>',
    "base": '<speak xml:base="file:///">a</speak>',
    "lexicon": attack('<lexicon uri="file:///etc/passwd"/>'),
    "meta": attack('<meta name="a" content="b"/>'),
    "voice": attack('<voice name="../../x">a</voice>'),
    "phoneme": attack('<phoneme ph="a">b</phoneme>'),
    "desc": attack("<desc>a</desc>"),
    "nested speak": attack("<speak>a</speak>"),
    "other root": "<p>a</p>",
    "element in a mark": attack('<mark name="a"><p/></mark>'),
    "text in a break": attack("<break>a</break>"),
    "element in say-as": attack('<say-as interpret-as="date"><s>a</s></say-as>'),
    "mark without name": attack("<mark/>"),
    "mark with a long name": attack(f'<mark name="{"a" * 65}"/>'),
    "mark with a newline": attack('<mark name="a&#10;b"/>'),
    "sub without alias": attack("<sub>a</sub>"),
    "lang without code": attack("<lang>a</lang>"),
    "bad code": attack('<lang xml:lang="../en">a</lang>'),
    "unknown kind": attack('<say-as interpret-as="address">a</say-as>'),
    "long content": attack(f'<say-as interpret-as="digits">{"1" * 501}</say-as>'),
    "bad rate": attack('<prosody rate="1e9">a</prosody>'),
    "contour": attack('<prosody contour="(0%,+20Hz)">a</prosody>'),
    "bad strength": attack('<break strength="long"/>'),
    "bad level": attack('<emphasis level="very">a</emphasis>'),
    "not closed": "<speak>a",
    "two roots": "<speak>a</speak><speak>b</speak>",
    "text after the root": "<speak>a</speak>b",
    "double attribute": '<speak version="1" version="1">a</speak>',
    "less than": attack("1 < 2"),
    "ampersand": attack("a & b"),
    "not xml": "<speak",
    "upper case": "<SPEAK>a</SPEAK>",
}
