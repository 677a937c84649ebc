from typing import Any

import pytest

from taps.engine.jsonapi import flattened


def test_attributes_and_relationships_become_fields() -> None:
    resource = {
        "type": "prospect",
        "id": 7,
        "attributes": {"firstName": "Ana", "custom1": None},
        "relationships": {
            "owner": {"data": {"type": "user", "id": 3}},
            "account": {"data": None},
            "tags": {"data": [{"type": "tag", "id": 1}, {"type": "tag", "id": 2}]},
            "emailAddresses": {"data": []},
            "calls": {"links": {"related": "https://api.example.com/calls"}},
        },
        "links": {"self": "https://api.example.com/prospects/7"},
    }
    assert flattened(resource) == {
        "id": 7,
        "firstName": "Ana",
        "custom1": None,
        "ownerId": 3,
        "accountId": None,
        "tagIds": [1, 2],
        "emailAddressIds": [],
    }


@pytest.mark.parametrize("record", [{"id": 1, "name": "x", "ownerId": 2}, {"id": 1, "attributes": None}, {}])
def test_a_flat_record_stays_as_it_is(record: dict[str, Any]) -> None:
    assert flattened(record) is record


@pytest.mark.parametrize(
    "relationships", [None, [], "x", {"owner": None}, {"owner": "x"}, {"owner": {}}, {"owner": {"data": "x"}}]
)
def test_odd_relationships_break_nothing(relationships: Any) -> None:
    flat = flattened({"id": 1, "attributes": {"a": 1}, "relationships": relationships})
    assert {"id": 1, "a": 1}.items() <= flat.items()


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("batches", "batchIds"),
        ("opportunities", "opportunityIds"),
        ("mailAliases", "mailAliasIds"),
        ("activeSequenceStates", "activeSequenceStateIds"),
    ],
)
def test_to_many_names_are_made_singular(name: str, field: str) -> None:
    assert field in flattened({"id": 1, "attributes": {}, "relationships": {name: {"data": []}}})
