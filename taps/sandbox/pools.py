# ruff: noqa: RUF001 - letters of other scripts that look like Latin ones are the point of this data
"""Made-up names, places and sentences in several scripts, to pick records' contents from."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

from faker import Faker

_LOCALES = (
    "en_US",
    "en_GB",
    "de_DE",
    "fr_FR",
    "pl_PL",
    "vi_VN",
    "ja_JP",
    "zh_CN",
    "ko_KR",
    "ar_SA",
    "he_IL",
    "hi_IN",
    "ru_RU",
    "el_GR",
    "th_TH",
    "ta_IN",
)
_PER_LOCALE = 32
_POOL_SEED = 7

LANGUAGES = ("en", "en", "en", "de", "fr", "ja-JP", "ar", "he", "pt-BR")
TIME_ZONES = ("UTC", "Berlin", "Eastern Time (US & Canada)", "Tokyo", "Chennai", "Sydney", "Kathmandu", "Nairobi")
TAGS = ("billing", "urgent", "vip", "wörterbuch", "返品", "🔥", "second line", "api", "שאלה", "on-hold", "a,b", "")

PROBLEMS = (
    "Cannot sign in after the password was reset",
    "Invoice shows the wrong tax rate",
    "Export stops at 50 %",
    "The app closes when a photo is attached",
    "Order arrived with a part missing",
    "How do I add a second administrator?",
    "Webhook is delivered twice",
    "Refund has not arrived",
    'Error "quota exceeded" on the free plan',
    "Printer prints only every other page",
    "Date picker starts the week on Sunday",
    "Feature request: dark mode 🌙",
    "Search finds nothing for names with accents (José, Zoë, Łukasz)",
    "Rechnung fehlt im Kundenkonto – bitte prüfen",
    "Impossible de télécharger le bon de livraison",
    "注文した商品がまだ届きません",
    "无法重置密码,请帮忙",
    "로그인 화면이 계속 멈춰 있어요 😢",
    "لا أستطيع تسجيل الدخول إلى حسابي",
    "החשבונית האחרונה חסרה",
    "मेरा भुगतान दो बार काटा गया",
    "Не приходит письмо с подтверждением",
    "สินค้าชำรุดระหว่างการขนส่ง",
    "Cafe\u0301 menu: cre\u0300me bru\u0302le\u0301e is spelled wrongly",
    "Family account 👩‍👩‍👧‍👦 shows only one member 🧑🏽‍💻",
    "Right-to-left mark \u200fin\u200e the middle, and a zero-width\u200bspace",
    "Z̵a̵l̵g̵o̵ text breaks the layout",
    "Backslash \\ and \"quotes\" and 'apostrophes' <b>are</b> & shown twice",
    "Tab\tand line\nbreak in the subject",
)

SENTENCES = (
    "I have tried it in two browsers and on my phone, with the same result.",
    "It worked until last Thursday.",
    "Could you please have a look?",
    "We have a board meeting tomorrow and need this before then.",
    "The order number is in the attached screenshot.",
    "Thank you for the quick reply!",
    "I am still waiting for an answer to my last message.",
    "Nothing has changed on our side.",
    "Three colleagues see the same.",
    "The amount is 1.234,56 € rather than 1,234.56 €.",
    "As far as I can tell it fails only when the file is larger than 10 MB.",
    "Please call me back after 5 pm.",
    "The steps are: open the list, choose the first row, press delete.",
    "A restart did not help.",
    "Is there a way to undo this?",
    "I am on the Team plan and pay yearly.",
    "It says “something went wrong” and nothing else.",
    "よろしくお願いいたします。",
    "谢谢您的帮助!",
    "빠른 답변 부탁드립니다.",
    "شكرًا جزيلاً لمساعدتكم.",
    "תודה רבה על העזרה.",
    "कृपया जल्द उत्तर दें।",
    "Заранее спасибо за ответ.",
    "Σας ευχαριστώ πολύ για τη βοήθεια.",
    "Mit freundlichen Grüßen aus Köln",
    "Ça marche très bien maintenant, merci !",
    "Sent from my 📱",
    "1 < 2 && 3 > 2, as every filter should know.",
    "The path is C:\\temp\\new and the pattern is ^a{1,3}$.",
)

REPLIES = (
    "Thank you for writing to us. I have passed this on to the team that looks after it.",
    "I have credited the amount; it takes up to five working days to show.",
    "Could you send us the exact time at which it happened?",
    "This is fixed in the version that we released this morning.",
    "I have reset the link, please try again.",
    "We could reproduce it and are working on it. 🛠️",
    "お問い合わせありがとうございます。担当部署に確認いたします。",
    "Vielen Dank für Ihre Geduld!",
    "Merci pour votre message, nous revenons vers vous.",
    "شكرًا لتواصلك معنا، سنرد عليك قريبًا.",
)


@dataclass(frozen=True)
class Person:
    """A made-up person.

    Attributes:
        first: The given name.
        last: The family name.
        name: The full name as it is shown.
        mailbox: What stands before the @ of the person's address, in ASCII.
    """

    first: str
    last: str
    name: str
    mailbox: str


@dataclass(frozen=True)
class Pools:
    """What records are put together from.

    Attributes:
        names: Given and family names, one pair of lists a locale.
        companies: Company names.
        addresses: Postal addresses, some with a line break.
        jobs: Job titles.
        sentences: Sentences of support requests and filler in several scripts.
    """

    names: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    companies: tuple[str, ...]
    addresses: tuple[str, ...]
    jobs: tuple[str, ...]
    sentences: tuple[str, ...]

    def person(self, number: int) -> Person:
        """Put a person together.

        Args:
            number: Any number; the same one gives the same person.

        Returns:
            The person.
        """
        number, locale = divmod(number, len(self.names))
        firsts, lasts = self.names[locale]
        rest, first_at = divmod(number, len(firsts))
        first, last = firsts[first_at], lasts[rest % len(lasts)]
        plain = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode().lower()
        mailbox = "".join(sign for sign in plain if sign.isalnum() or sign == ".").strip(".")
        return Person(first, last, f"{first} {last}", mailbox or "contact")


@cache
def pools() -> Pools:
    """Build the pools, once a process.

    Returns:
        The pools; they do not depend on any seed, what is picked from them does.
    """
    names = []
    companies = []
    addresses = []
    sentences = list(SENTENCES)
    for locale in _LOCALES:
        fake = Faker(locale)
        fake.seed_instance(_POOL_SEED)
        firsts = tuple(fake.first_name() for _ in range(_PER_LOCALE))
        names.append((firsts, tuple(fake.last_name() for _ in range(_PER_LOCALE))))
        companies += [fake.company() for _ in range(_PER_LOCALE)]
        addresses += [fake.address() for _ in range(_PER_LOCALE // 2)]
        sentences += [fake.sentence(nb_words=9) for _ in range(4)]
    jobs = Faker("en_US")
    jobs.seed_instance(_POOL_SEED)
    return Pools(
        tuple(names),
        tuple(companies),
        tuple(addresses),
        tuple(jobs.job() for _ in range(_PER_LOCALE)),
        tuple(sentences),
    )
