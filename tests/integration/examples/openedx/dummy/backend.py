"""A backend of the site."""

from eventtracking_mongo import MongoBackend


class engine(MongoBackend):  # noqa: N801  as the sample names it
    def __init__(self, uri: str, database: str) -> None:
        super().__init__(uri=uri, database=database, collection="caliper")
