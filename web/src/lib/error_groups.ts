// Groups of errors, as the server lists them. Pure.

export interface Group {
  id: number; app: string; operation: string; error_type: string; message: string; sample: string; sample_type: string; count: number; users: number;
  first_seen: string; last_seen: string; state: 'open' | 'resolved'; resolved_at?: string; reopened: number;
}

/** How the events of a class are spread over operations: of all groups that are listed. */
export function byOperation(groups: Group[], of: Group): { operation: string; share: number }[] {
  const counts = new Map<string, number>();
  for (const group of groups)
    if (group.error_type === of.error_type && group.app === of.app) counts.set(group.operation, (counts.get(group.operation) ?? 0) + group.count);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [...counts].map(([operation, count]) => ({ operation, share: count / total })).sort((a, b) => b.share - a.share);
}

/** Whether every word is somewhere in the group. */
export function matches(group: Group, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const all = `${group.error_type} ${group.message} ${group.sample} ${group.app} ${group.operation}`.toLowerCase();
  return words.every((word) => all.includes(word));
}
