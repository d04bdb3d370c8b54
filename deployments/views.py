"""The one address that Render calls: `/webhooks/render/`. It verifies, stores and answers 202; nothing else."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from deployments.render.webhooks import MAX_BODY_BYTES, NotGenuine, receive
from operations.web.body_limit import BodyLimit, takes


@takes(BodyLimit(body=MAX_BODY_BYTES))
@csrf_exempt
@require_POST
def render_webhook(request: HttpRequest) -> HttpResponse:
    """202 for a genuine delivery, also a repeated one; 400 for anything else, without saying what was wrong."""
    try:
        receive(request.body, request.headers)
    except NotGenuine:
        return JsonResponse({"message": "refused"}, status=400)
    return JsonResponse({"message": "accepted"}, status=202)
