// Passkeys: a form with options asks the browser for one, and sends what the authenticator answered.

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

const described = (credentials = []) => credentials.map((each) => ({ ...each, id: bytes(each.id) }));

function create(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: described(options.excludeCredentials),
  };
  return navigator.credentials.create({ publicKey });
}

function get(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: described(options.allowCredentials),
  };
  return navigator.credentials.get({ publicKey });
}

function answerOf(credential) {
  const { response } = credential;
  const names = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const given = names.filter((name) => response[name]).map((name) => [name, text(response[name])]);
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: { ...Object.fromEntries(given), transports: response.getTransports?.() ?? [] },
    clientExtensionResults: {},
  });
}

async function ask(form, said) {
  said.textContent = "Waiting for your passkey…";
  const options = JSON.parse(form.dataset.options);
  try {
    const credential = await (form.dataset.passkey === "create" ? create(options) : get(options));
    form.querySelector("[data-passkey-answer]").value = answerOf(credential);
    form.submit();
  } catch (error) {
    said.textContent = `No passkey was used (${error.name}). Nothing was changed; try again.`;
  }
}

export function startPasskeys() {
  if (!globalThis.PublicKeyCredential) return;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const said = form.querySelector("[data-passkey-said]");
    const go = form.querySelector("[data-passkey-go]");
    go.hidden = false;
    go.addEventListener("click", () => ask(form, said));
  }
}
