"""Our own metadata stores pass the suite that we give to others."""

from __future__ import annotations

import pytest

from eventtracking_core.plugins import plugins
from eventtracking_core.testing import MetadataStoreConformance


class TestLocal(MetadataStoreConformance):
    @pytest.fixture(autouse=True, params=["file", "memory", "sqlite"])
    def name(self, request, tmp_path):
        self.name = request.param
        self.options = {} if self.name == "memory" else {"path": str(tmp_path / "types")}

    def make_store(self):
        return plugins.find("metadata store", self.name)(**self.options)


class TestMongo(MetadataStoreConformance):
    @pytest.fixture(autouse=True)
    def server(self, mongo_uri, mongo_database):
        self.options = {"uri": mongo_uri, "database": mongo_database.name, "indexes": []}

    def make_store(self):
        return plugins.find("metadata store", "mongo")(**self.options)
