export const valid = (text: unknown): text is string => typeof text === "string" && /^[^@\s]+@[^@\s]+$/.test(text);
