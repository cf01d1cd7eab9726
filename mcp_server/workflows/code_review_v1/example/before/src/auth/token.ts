import { createHmac, timingSafeEqual } from "node:crypto";

export interface Claims {
  tenant: string;
  expires: number; // milliseconds since 1970, UTC
}

export function issueToken(claims: Claims, secret: string): string {
  const body = Buffer.from(JSON.stringify(claims)).toString("base64url");
  return `${body}.${signature(body, secret)}`;
}

export function verifyToken(token: string, secret: string, now: number): Claims | null {
  const [body, given] = token.split(".");
  const expected = signature(body, secret);
  if (given.length !== expected.length) return null;
  if (!timingSafeEqual(Buffer.from(given), Buffer.from(expected))) return null;
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Claims;
  return now > claims.expires ? null : claims;
}

function signature(body: string, secret: string): string {
  return createHmac("sha256", secret).update(body).digest("base64url");
}
