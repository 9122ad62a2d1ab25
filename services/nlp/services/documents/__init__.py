"""Texts as documents: what of them is translated, what stays, and how both go together again.

    markup        HTML, and tags in plain text  → blocks of flat text
    placeholders  {name}, %s, URLs, …           → held things
    terms         words of a glossary           → held things
    sentences     a flat text                   → sentences for the model
    masking       a sentence                    → what the model sees, and the way back
    wording       spelling as models know it

Held things and tags travel through the model as marks (`masking`). A translation that has lost,
doubled or shuffled one is thrown away, and the sentence is translated in pieces around them: so
each comes out once and unchanged, whatever the model does.
"""
