"""Notes: a service whose events say what its users do."""

from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

import eventtracking_core as et
from eventtracking_core import Tracker
from eventtracking_web import ASGIMiddleware
from eventtracking_web.fastapi import tracker

USERS = {"token-of-ada": "ada", "token-of-bob": "bob"}
NOTES: list[str] = []


class Note(BaseModel):
    text: str


@asynccontextmanager
async def lifespan(_app: FastAPI):
    et.emit("notes.service.started")
    yield
    et.emit("notes.service.stopped")


def signed_in(request: Request, authorization: Annotated[str, Header()]) -> str:
    """The user, from here on also the one of each event of the request."""
    user = USERS.get(authorization.removeprefix("Bearer "))
    if user is None:
        raise HTTPException(401)
    request.scope["user"] = user
    return user


def index(note_id: int) -> None:
    et.emit("notes.note.indexed", {"note_id": note_id})


User = Annotated[str, Depends(signed_in)]
Tracking = Annotated[Tracker, Depends(tracker)]
api = FastAPI(lifespan=lifespan)


@api.post("/notes", status_code=201)
async def add(note: Note, user: User, tracker: Tracking, tasks: BackgroundTasks) -> dict[str, int]:
    NOTES.append(f"{user}: {note.text}")
    note_id = len(NOTES)
    tracker.emit("notes.note.added", {"note_id": note_id, "length": len(note.text)})
    tasks.add_task(index, note_id)
    return {"note_id": note_id}


@api.get("/notes.txt")
async def export(_user: User, tracker: Tracking) -> StreamingResponse:
    async def lines():
        for text in NOTES:
            yield f"{text}\n"
        tracker.emit("notes.exported", {"count": len(NOTES)})

    return StreamingResponse(lines(), media_type="text/plain")


et.configure()
app = ASGIMiddleware(api)
