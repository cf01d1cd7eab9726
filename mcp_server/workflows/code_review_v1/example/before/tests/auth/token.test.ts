import { expect, test } from "vitest";
import { openSession } from "../../src/auth/session";
import { issueToken, verifyToken } from "../../src/auth/token";

const claims = { tenant: "north", expires: 1_000 };

test("accepts its own token", () => {
  expect(verifyToken(issueToken(claims, "s"), "s", 900)).toEqual(claims);
});

test("refuses an expired token", () => {
  expect(verifyToken(issueToken(claims, "s"), "s", 2_000)).toBeNull();
});

test("refuses a foreign signature", () => {
  expect(verifyToken(issueToken(claims, "other"), "s", 900)).toBeNull();
});

test("opens a session", () => {
  expect(() => openSession({ id: "1", tenant: "north" })).not.toThrow();
});
