"""What is written once and read often: canned responses, forums and solution articles, with their folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taps.sandbox.helpdesk import shape
from taps.sandbox.pools import PROBLEMS, REPLIES, TAGS, pools
from taps.sandbox.seeded import generator, mix

if TYPE_CHECKING:
    from taps.sandbox.helpdesk.people import People
    from taps.sandbox.rows import Record

#: A parent's children by the parent's id.
Children = dict[int, list["Record"]]

_FOLDERS = ("Personal", "Billing", "返品", "Erste Hilfe", "Empty folder", "Versand & Zoll", "مرحبا", "🙂 Greetings")
_CATEGORIES = ("General", "Getting started", "Häufige Fragen", "よくある質問", "Not written yet")
#: Past the positions of all other solution folders.
_DEEP = 102
_FORUMS = ("Announcements", "Feature requests", "Tips & tricks", "Report a problem")


class Knowledge:
    """Makes these collections whole: they are small at every size.

    Attributes:
        folders: Folders of canned responses.
        responses: Canned responses by folder.
        forum_categories: Categories of forums.
        forums: Forums by category.
        topics: Topics by forum.
        comments: Comments by topic.
        categories: Categories of solutions.
        solution_folders: Folders by category.
        articles: Articles by folder.

    Args:
        size: The help desk's size.
        people: The people who write.
        nested: Whether solution folders are in one another, and say so rightly.
    """

    def __init__(self, size: shape.Size, people: People, *, nested: bool = False) -> None:
        self._seed = size.seed
        self._groups = size.groups
        self._people = people
        self._sentences = pools().sentences
        self.folders: list[Record] = []
        self.responses: Children = {}
        self.forum_categories: list[Record] = []
        self.forums: Children = {}
        self.topics: Children = {}
        self.comments: Children = {}
        self.categories: list[Record] = []
        self.solution_folders: Children = {}
        self.articles: Children = {}
        self._make_canned()
        self._make_discussions()
        self._make_solutions()
        if nested:
            self._nest_folders()

    def _make_canned(self) -> None:
        at = 0
        for position, name in enumerate(_FOLDERS):
            folder = shape.made_id("folder", position)
            count = 0 if name.startswith("Empty") else mix(self._seed, position, 61) % 13
            self.responses[folder] = [self._response(folder, at + turn) for turn in range(count)]
            at += count
            self.folders.append(
                {
                    "id": folder,
                    "name": name,
                    **shape.times(self._seed, "folder", position),
                    "personal": not position,
                    "responses_count": count,
                }
            )

    def _response(self, folder: int, position: int) -> Record:
        rng = generator(self._seed, position, 62)
        text = "\n".join([rng.choice(REPLIES), *rng.sample(self._sentences, 2)])
        groups = sorted(rng.sample(range(self._groups), rng.choice((0, 0, 2))))
        attached = shape.attachment(self._seed, 50_000_000 + position, rng)
        attached["thumb_url"] = rng.choice((None, attached["attachment_url"]))
        return {
            "id": shape.made_id("response", position),
            "title": f"{rng.choice(PROBLEMS)} ({position})",
            "folder_id": folder,
            "content": text,
            "content_html": shape.as_html(text, rng),
            "attachments": [attached] if not rng.randrange(4) else [],
            **shape.times(self._seed, "response", position),
            "group_ids": [shape.made_id("group", group) for group in groups],
            "visibility": rng.randrange(3),
        }

    def _make_discussions(self) -> None:
        at = 0
        for position, name in enumerate(("Customers", "Partner", "コミュニティ", "Nothing here yet")):
            category = shape.made_id("forum_category", position)
            self.forum_categories.append(
                {
                    "id": category,
                    "name": name,
                    "description": None if position == 1 else f"{name}: all that concerns them",
                    **shape.times(self._seed, "forum_category", position),
                }
            )
            count = (4, 2, 1, 0)[position]
            self.forums[category] = [self._forum(category, at + turn, turn) for turn in range(count)]
            at += count

    def _forum(self, category: int, position: int, order: int) -> Record:
        forum = shape.made_id("forum", position)
        count = mix(self._seed, position, 63) % 7 if position else 4
        topics = [self._topic(forum, position * 10 + turn) for turn in range(count)]
        self.topics[forum] = topics
        comments = sum(topic["comments_count"] for topic in topics)
        return {
            "id": forum,
            "name": _FORUMS[order],
            "description": None if not order else "Ask & answer 💡",
            "position": order + 1,
            "forum_category_id": category,
            "forum_type": order % 4 + 1,
            "forum_visibility": 1,
            "topics_count": count,
            "comments_count": comments,
            "posts_count": comments,
            "company_ids": [shape.made_id("company", 0)] if order == 1 else [],
        }

    def _topic(self, forum: int, position: int) -> Record:
        rng = generator(self._seed, position, 64)
        topic = shape.made_id("topic", position)
        count = rng.randrange(6)
        self.comments[topic] = [self._comment(forum, topic, position * 10 + turn) for turn in range(count)]
        own_times = shape.times(self._seed, "topic", position)
        return {
            "id": topic,
            "title": rng.choice(PROBLEMS),
            "forum_id": forum,
            "customer_id": self._people.contact_id(rng.randrange(10**6)),
            "locked": not rng.randrange(5),
            "published": True,
            "stamp_type": rng.choice((None, 8, 9)),
            "replied_by": self._people.agent_id(rng.randrange(10**6)) if count else None,
            "user_votes": rng.randrange(20),
            "merged_topic_id": None,
            "comments_count": count,
            "sticky": not rng.randrange(6),
            **own_times,
            "replied_at": own_times["updated_at"],
            "hits": rng.randrange(5_000),
            "posts_count": count,
            "message": rng.choice((None, "", rng.choice(self._sentences))),
        }

    def _comment(self, forum: int, topic: int, position: int) -> Record:
        rng = generator(self._seed, position, 65)
        text = "\n".join(rng.sample(self._sentences, rng.randrange(1, 4)))
        return {
            "id": shape.made_id("comment", position),
            "topic_id": topic,
            **shape.times(self._seed, "comment", position),
            "customer_id": self._people.contact_id(rng.randrange(10**6)),
            "forum_id": forum,
            "answer": not rng.randrange(4),
            "published": True,
            "spam": rng.choice((None, False)),
            "trash": False,
            "body": shape.as_html(text, rng),
            "body_text": text,
        }

    def _make_solutions(self) -> None:
        at = 0
        for position, name in enumerate(_CATEGORIES):
            category = shape.made_id("solution_category", position)
            self.categories.append(
                {
                    "id": category,
                    "name": name,
                    "description": rng_text if (rng_text := self._sentences[position]) and position else None,
                    **shape.times(self._seed, "solution_category", position),
                    "visible_in_portals": [shape.made_id("portal", 0)],
                    "icon": {} if position else {"name": "book.svg", "size": 812},
                }
            )
            count = (3, 4, 2, 1, 0)[position]
            self.solution_folders[category] = [
                self._solution_folder(category, name, at + turn, turn) for turn in range(count)
            ]
            at += count

    def _nest_folders(self) -> None:
        # Where a category has a folder in a folder, that one gets a folder as well, and each says what it is in.
        for at, (category, folders) in enumerate(self.solution_folders.items()):
            inner = next((folder for folder in folders if folder["parent_folder_id"]), None)
            if inner is None:
                continue
            name = inner["hierarchy"][0]["data"]["name"]
            deepest = self._solution_folder(category, name, _DEEP + at, 0) | {"parent_folder_id": inner["id"]}
            folders.append(deepest)
            by_id = {folder["id"]: folder for folder in folders}
            for folder in (inner, deepest):
                # In place: the articles have the same list.
                folder["hierarchy"][1:1] = by_id[folder["parent_folder_id"]]["hierarchy"][1:]
                folder["hierarchy"][:] = [{**step, "level": level} for level, step in enumerate(folder["hierarchy"])]
        for folders in self.solution_folders.values():
            for folder in folders:
                folder["sub_folders_count"] = sum(other["parent_folder_id"] == folder["id"] for other in folders)

    def _solution_folder(self, category: int, category_name: str, position: int, order: int) -> Record:
        rng = generator(self._seed, position, 66)
        folder = shape.made_id("solution_folder", position)
        count = 0 if position % 4 == 1 else rng.randrange(1, 13)
        name = f"{rng.choice(_FOLDERS)} {position + 1}"
        hierarchy = [
            {"level": 0, "type": "category", "data": {"id": category, "name": category_name, "language": "en"}},
            {"level": 1, "type": "folder", "data": {"id": folder, "name": name, "language": "en"}},
        ]
        self.articles[folder] = [
            self._article(category, folder, hierarchy, position * 20 + turn) for turn in range(count)
        ]
        return {
            "id": folder,
            "name": name,
            "description": rng.choice((None, "", rng.choice(self._sentences))),
            "articles_count": count,
            **shape.times(self._seed, "solution_folder", position),
            "icon_url": None,
            "parent_folder_id": shape.made_id("solution_folder", position - 1) if order == 2 else None,  # noqa: PLR2004
            "sub_folders_count": 1 if order == 1 else 0,
            "hierarchy": hierarchy,
            "visibility": rng.randrange(1, 5),
            "category_id": category,
            "company_ids": [shape.made_id("company", 1)] if not rng.randrange(3) else [],
            "contact_segment_ids": [],
            "company_segment_ids": [],
        }

    def _article(self, category: int, folder: int, hierarchy: list[dict[str, Any]], position: int) -> Record:
        rng = generator(self._seed, position, 67)
        text = "\n".join(rng.sample(self._sentences, rng.randrange(4, 12)))
        agent = self._people.agent_id(rng.randrange(10**6))
        title = rng.choice(PROBLEMS)
        return {
            "id": shape.made_id("article", position),
            "type": rng.randrange(1, 3),
            "status": rng.randrange(1, 3),
            "agent_id": agent,
            "customer_id": agent,
            "created_at": shape.times(self._seed, "article", position)["created_at"],
            "category_id": category,
            "folder_id": folder,
            "title": title,
            "updated_at": shape.times(self._seed, "article", position)["updated_at"],
            "description": shape.as_html(text, rng),
            "description_text": text,
            "seo_data": {
                "meta_title": rng.choice(("", title)),
                "meta_description": "",
                "meta_keywords": rng.choice((None, "faq,hilfe,ヘルプ")),
            },
            "tags": rng.sample(TAGS, rng.randrange(3)),
            "attachments": [],
            "cloud_files": [],
            "thumbs_up": rng.randrange(90),
            "thumbs_down": rng.randrange(9),
            "hits": rng.randrange(100_000),
            "suggested": rng.randrange(50),
            "feedback_count": rng.randrange(5),
            "hierarchy": hierarchy,
        }
