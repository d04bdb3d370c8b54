"""A stateful stand-in for Render's API and for the applications it runs: `RenderSandbox` serves both on loopback."""

from __future__ import annotations

from sandbox.render.server import RenderSandbox

__all__ = ["RenderSandbox"]
