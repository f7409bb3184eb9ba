"""Drives Home Assistant's own OAuth client, one JSON command a line.

Runs under the Python of `.venv/home-assistant` (scripts/python-environment), apart from the tests' packages, because
Home Assistant pins its own. The flow handler, the implementation with client id and secret, and the session that
refreshes are Home Assistant's code; this file is the integration that every integration writes.
"""

import asyncio
import json
import logging
import sys
import tempfile
import time

from homeassistant import config_entries
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_entry_oauth2_flow as flow

DOMAIN = "acme"
_LOGGER = logging.getLogger(__name__)


class AcmeFlow(flow.AbstractOAuth2FlowHandler):
    """The dialogue "add integration" of the lock maker Acme."""

    DOMAIN = DOMAIN

    @property
    def logger(self) -> logging.Logger:
        return _LOGGER


class Driver:
    """One Home Assistant with one integration."""

    def __init__(self, hass: HomeAssistant):
        self.hass = hass
        self.session: flow.OAuth2Session | None = None

    async def start(self, **credentials) -> dict:
        """Begins the dialogue: answers with the link that the person opens."""
        self.hass.config.components.add("my")
        self.implementation = flow.LocalOAuth2Implementation(self.hass, DOMAIN, **credentials)
        AcmeFlow.async_register_implementation(self.hass, self.implementation)
        self.dialogue = AcmeFlow()
        self.dialogue.hass, self.dialogue.flow_id = self.hass, "flow1"
        self.dialogue.handler = DOMAIN
        self.dialogue.flow_impl = self.implementation
        step = await self.dialogue.async_step_auth()
        return {"url": step["url"]}

    async def come_back(self, query: dict) -> dict:
        """The browser came back: exchanges the code, or ends the dialogue with Home Assistant's reason."""
        state = flow._decode_jwt(self.hass, query["state"])
        assert state is not None, "the state came back changed"
        done = await self.dialogue.async_step_auth(query | {"state": state})
        result = await getattr(self.dialogue, f"async_step_{done['step_id']}")()
        if result["type"] != "create_entry":
            return {"aborted": result["reason"]}
        entry = config_entries.ConfigEntry(
            version=1, minor_version=1, domain=DOMAIN, title="Acme", data=result["data"], source="user", entry_id="1"
        )
        self.hass.config_entries._entries[entry.entry_id] = entry
        self.session = flow.OAuth2Session(self.hass, entry, self.implementation)
        return {"token": self.session.token}

    async def expire(self) -> dict:
        """Makes the access token look expired, so that the next call refreshes."""
        entry = self.session.config_entry
        token = entry.data["token"] | {"expires_at": time.time() + 10}
        self.hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})
        return {}

    async def damage_refresh_token(self) -> dict:
        """Puts another refresh token in place, as a server that forgot it would find."""
        entry = self.session.config_entry
        token = entry.data["token"] | {"refresh_token": "lkr_" + "A" * 66}
        self.hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})
        return {}

    async def call(self, url: str) -> dict:
        """Calls the API through the session, which refreshes 20 seconds before the end."""
        try:
            answer = await self.session.async_request("GET", url)
        except flow.ClientResponseError as error:
            return {"refused": error.status}
        await answer.read()
        return {"status": answer.status, "token": self.session.token}


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        hass = HomeAssistant(folder)
        hass.config_entries = config_entries.ConfigEntries(hass, {})
        driver = Driver(hass)
        while line := await asyncio.to_thread(sys.stdin.readline):
            command = json.loads(line)
            answer = await getattr(driver, command.pop("do"))(**command)
            print(json.dumps(answer), flush=True)
        await hass.async_stop(force=True)


asyncio.run(main())
