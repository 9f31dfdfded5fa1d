"""Notices as GeoJSON (RFC 7946), in and out; docs/spec/notice.md is the normative text."""

from __future__ import annotations

from detente.notice.activity import ActivityNotice


def parse_notices_geojson(data: bytes) -> tuple[ActivityNotice, ...]:
    """The notices in a GeoJSON Feature or FeatureCollection, in order of first appearance.

    Features with the same ``id`` are pieces of one notice.

    Raises:
        UsageError: anything is wrong; `.field` names the place, such as
            ``"features[0].properties.lower"``, and `.hint` says what to do.
    """
    raise NotImplementedError


def parse_notice_geojson(data: bytes) -> ActivityNotice:
    """The one notice in a GeoJSON file.

    Raises:
        UsageError: as `parse_notices_geojson`, or there is more than one id.
    """
    raise NotImplementedError


def notice_to_geojson(notice: ActivityNotice) -> dict[str, object]:
    """The notice as a FeatureCollection; parsing it gives the same notice again.

    Numbers are `decimal.Decimal` where they are not whole; `format_geojson` writes the bytes.
    """
    raise NotImplementedError


def format_geojson(notice: ActivityNotice) -> bytes:
    """The bytes of `notice_to_geojson`, with every number written exactly."""
    raise NotImplementedError
