export interface Session {
  id: string;
  tenant: string;
}

const sessions = new Map<string, Session>();

export function openSession(session: Session): void {
  sessions.set(session.id, session);
}

export function endSession(id: string, tenant: string): boolean {
  const session = sessions.get(id);
  if (session === undefined || session.tenant !== tenant) return false;
  return sessions.delete(id);
}
