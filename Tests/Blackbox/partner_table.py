"""The table of partners: one row for each embedded profile, with what that partner sends and what it expects.

The sources are those of the profile. Where a partner's text says nothing of the order of parameters or of the encoding,
the row takes what its clients' usual library does. A new profile needs a row here, and nothing else: the suite in
`test_partners.py` plays every row, and says so when a profile has none.
"""

from dataclasses import replace

from toolkit.replay import (
    BY_BASIC,
    BY_ENCODED_BASIC,
    FORM,
    IN_BODY,
    JSON,
    Habits,
    Refusal,
    Way,
    lenient,
    percent,
)

GOOGLE_REFUSAL = Refusal(400, "invalid_grant", exactly=True)
SEAMLESS_URI = "https://partner.example/oauth/callback?tenant=7"
SEAM_URIS = (
    "https://connect.getseam.com/oauth/callback",
    "https://staging.connect.getseam.com/oauth/callback",
    "http://localhost:3020/oauth/callback",
)
JWT_STATE = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJmbG93X2lkIjoiZmxvdzEifQ.RvIsGm-8mu8kTpAIPzt2bVZDmm_Jw2oZ9qEFKo1nRFM"
)

LEGACY = Way(
    "three fields as a form", "code=$code&client_id=$client_id&client_secret=$client_secret", None, content_type=FORM
)
SEAMLESS = Way(
    "JSON",
    '{"client_id": $client_id, "client_secret": $client_secret, "redirect_uri": $redirect_uri,'
    ' "grant_type": "authorization_code", "code": $code}',
    '{"client_id": $client_id, "client_secret": $client_secret, "redirect_uri": $redirect_uri,'
    ' "grant_type": "refresh_token", "refresh_token": $refresh_token}',
    content_type=JSON,
)
CREDENTIALS_FIRST = Way(
    "in the body",
    "client_id=$client_id&client_secret=$client_secret&grant_type=authorization_code"
    "&code=$code&redirect_uri=$redirect_uri",
    "client_id=$client_id&client_secret=$client_secret&grant_type=refresh_token&refresh_token=$refresh_token",
)
GRANT_THEN_CREDENTIALS = Way(
    "in the body",
    "grant_type=authorization_code&client_id=$client_id&client_secret=$client_secret"
    "&code=$code&redirect_uri=$redirect_uri",
    "grant_type=refresh_token&client_id=$client_id&client_secret=$client_secret&refresh_token=$refresh_token",
)
MCP = Way(
    "without a secret",
    "grant_type=authorization_code&client_id=$client_id&code=$code&redirect_uri=$redirect_uri&resource=$resource",
    "grant_type=refresh_token&client_id=$client_id&refresh_token=$refresh_token&resource=$resource",
)

TABLE = [
    Habits("seam", SEAM_URIS, sends_issuer=False),
    Habits(
        "seam-legacy",
        ("https://acme.integrations.getseam.com/callback?x=1",),
        authorize_path="/authorize",
        authorize="redirect_uri=$redirect_uri",
        scope=None,
        state=None,
        encode=percent,
        ways=(
            LEGACY,
            Way(
                "three fields as JSON",
                '{"code": $code, "client_id": $client_id, "client_secret": $client_secret}',
                None,
                content_type=JSON,
            ),
        ),
        sends_issuer=False,
        members=frozenset({"access_token", "token_type"}),
    ),
    Habits(
        "seamless",
        (SEAMLESS_URI,),
        options=("--redirect-uri", SEAMLESS_URI),
        authorize="client_id=$client_id&redirect_uri=$redirect_uri&state=$state",
        scope=None,
        encode=percent,
        token_path="/api/client/v1/oauth/accessToken",
        ways=(SEAMLESS,),
        sends_issuer=False,
        members=frozenset({"access_token", "refresh_token", "expires_at", "expires_in", "token_type"}),
        api="introspection",
        wrong_code=Refusal(401, "invalid_grant"),
        wrong_refresh=Refusal(401, "invalid_grant"),
    ),
    Habits(
        "google-home",
        (
            "https://oauth-redirect.googleusercontent.com/r/acme-locks-1234",
            "https://oauth-redirect-sandbox.googleusercontent.com/r/acme-locks-1234",
        ),
        values={"project_id": "acme-locks-1234"},
        authorize="client_id=$client_id&redirect_uri=$redirect_uri&state=$state&scope=$scope"
        "&response_type=code&user_locale=de-DE",
        state="ABdik3Xn" + "4yZ_0-" * 60,
        ways=(CREDENTIALS_FIRST,),
        wrong_code=GOOGLE_REFUSAL,
        wrong_refresh=GOOGLE_REFUSAL,
        wrong_secret=GOOGLE_REFUSAL,
    ),
    Habits(
        "alexa",
        (
            "https://pitangui.amazon.com/api/skill/link/M2AAAAAAAAAAAA",
            "https://layla.amazon.com/api/skill/link/M2AAAAAAAAAAAA",
            "https://alexa.amazon.co.jp/api/skill/link/M2AAAAAAAAAAAA",
        ),
        values={"vendor_id": "M2AAAAAAAAAAAA"},
        authorize="state=$state&client_id=$client_id&response_type=code&scope=$scope&redirect_uri=$redirect_uri",
        state="A2SAAEAELoGxmZ5KzGUkM6W3-9BhpKSS" * 8,
        ways=(
            Way(
                "by Basic, and client_id in the body too",
                "grant_type=authorization_code&code=$code&client_id=$client_id&redirect_uri=$redirect_uri",
                "grant_type=refresh_token&refresh_token=$refresh_token&client_id=$client_id",
                basic="raw",
            ),
            IN_BODY,
        ),
    ),
    Habits(
        "smartthings",
        (
            "https://c2c-us.smartthings.com/oauth/callback",
            "https://c2c-eu.smartthings.com/oauth/callback",
            "https://c2c-ap.smartthings.com/oauth/callback",
        ),
        authorize="client_id=$client_id&scope=$scope&response_type=code&redirect_uri=$redirect_uri&state=$state",
        state=JWT_STATE,
    ),
    Habits(
        "ifttt",
        ("https://ifttt.com/channels/acme_locks/authorize",),
        values={"service_id": "acme_locks"},
        authorize="client_id=$client_id&response_type=code&scope=$scope&state=$state&redirect_uri=$redirect_uri",
        scope="ifttt",
        state="8b2c1e5f" * 8,
        ways=(
            Way(
                "in the body",
                "grant_type=authorization_code&code=$code&client_id=$client_id&client_secret=$client_secret"
                "&redirect_uri=$redirect_uri",
                IN_BODY.refresh,
            ),
        ),
        headers={"X-Request-ID": "434c1234-5ac2-4f3c-9f0e-1f1e1d0c0b0a", "Accept-Encoding": "gzip"},
        api="/ifttt/v1/user/info",
    ),
    Habits(
        "zapier",
        ("https://zapier.com/dashboard/auth/oauth/return/App1234CLIAPI/",),
        values={"app_id": "App1234CLIAPI"},
        authorize="client_id=$client_id&state=$state&redirect_uri=$redirect_uri&response_type=code&scope=$scope",
        state="1763712000.7315-4f1c9a",
        encode=percent,
        ways=(
            Way(
                "in the body",
                "client_id=$client_id&client_secret=$client_secret&code=$code&grant_type=authorization_code"
                "&redirect_uri=$redirect_uri",
                CREDENTIALS_FIRST.refresh,
            ),
        ),
    ),
    Habits(
        "make",
        ("https://www.make.com/oauth/cb/app", "https://www.integromat.com/oauth/cb/app"),
        authorize="client_id=$client_id&redirect_uri=$redirect_uri&state=$state&response_type=code&scope=$scope",
        state="9f" * 32,
        encode=percent,
        ways=(CREDENTIALS_FIRST,),
    ),
    Habits(
        "n8n",
        ("https://n8n.acme.example/rest/oauth2-credential/callback",),
        values={"n8n_host": "n8n.acme.example"},
        authorize="client_id=$client_id&redirect_uri=$redirect_uri&response_type=code&state=$state&scope=$scope",
        state="eyJ0b2tlbiI6IkFiQy0xMjMiLCJjaWQiOiJYeVoifQ==",
        encode=percent,
        ways=(
            Way(
                "by Basic",
                "code=$code&grant_type=authorization_code&redirect_uri=$redirect_uri",
                "refresh_token=$refresh_token&grant_type=refresh_token",
                basic="raw",
            ),
            Way(
                "in the body",
                "code=$code&grant_type=authorization_code&redirect_uri=$redirect_uri"
                "&client_id=$client_id&client_secret=$client_secret",
                "client_id=$client_id&client_secret=$client_secret&refresh_token=$refresh_token"
                "&grant_type=refresh_token",
            ),
        ),
    ),
    Habits(
        "home-assistant",
        ("https://my.home-assistant.io/redirect/oauth",),
        authorize="response_type=code&client_id=$client_id&redirect_uri=$redirect_uri&state=$state",
        scope=None,
        state=JWT_STATE,
        encode=lenient,
        ways=(
            Way(
                "in the body",
                IN_BODY.exchange,
                "grant_type=refresh_token&client_id=$client_id&refresh_token=$refresh_token"
                "&client_secret=$client_secret",
            ),
        ),
    ),
    Habits(
        "slack",
        ("https://oauth2.slack.com/external/auth/callback",),
        authorize="client_id=$client_id&response_type=code&redirect_uri=$redirect_uri&state=$state&scope=$scope",
        state="1763712000.000100-T0123ABC-A0456DEF",
        encode=percent,
        ways=(CREDENTIALS_FIRST, BY_BASIC),
        api="userinfo",
    ),
    Habits(
        "aws-iot",
        ("https://us-east-1.connectors.iot.example/oauth/callback",),
        options=("--redirect-uri", "https://us-east-1.connectors.iot.example/oauth/callback"),
        state="3f0d6f0c-2f4e-4b0e-9a55-6f1d7a0f7f11",
        ways=(BY_BASIC, BY_ENCODED_BASIC, replace(IN_BODY, content_type=FORM + ";charset=UTF-8")),
    ),
    Habits(
        "gpt-actions",
        (
            "https://chat.openai.com/aip/g-0123abcdef/oauth/callback",
            "https://chatgpt.com/aip/g-0123abcdef/oauth/callback",
        ),
        values={"gpt_id": "g-0123abcdef"},
        authorize="response_type=code&client_id=$client_id&redirect_uri=$redirect_uri&state=$state&scope=",
        scope=None,
        state="b3c2f6a8-8d0a-4c39-9b9a-1f2e3d4c5b6a",
        ways=(GRANT_THEN_CREDENTIALS,),
    ),
    Habits(
        "chatgpt",
        ("https://chatgpt.com/connector/oauth/q1w2e3r4t5", "https://chatgpt.com/connector_platform_oauth_redirect"),
        values={"callback_id": "q1w2e3r4t5"},
        authorize="response_type=code&client_id=$client_id&redirect_uri=$redirect_uri&state=$state&scope=$scope"
        "&resource=$resource",
        state="oauth_s_69203f1c2b4c8191a7f0",
        encode=percent,
        proves=True,
        ways=(MCP,),
        rotates=True,
        api="introspection",
    ),
    Habits(
        "claude",
        ("https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"),
        authorize="response_type=code&client_id=$client_id&redirect_uri=$redirect_uri&state=$state&scope=$scope"
        "&resource=$resource",
        state="dGhpcyBpcyBub3QgYSBzZWNyZXQgYXQgYWxsIQ",
        encode=percent,
        proves=True,
        ways=(
            Way(
                "in the body",
                IN_BODY.exchange + "&resource=$resource",
                IN_BODY.refresh + "&resource=$resource",
            ),
            replace(BY_ENCODED_BASIC, exchange=BY_BASIC.exchange + "&resource=$resource"),
        ),
        api="introspection",
    ),
]
PROFILES = {habits.profile: habits for habits in TABLE}
