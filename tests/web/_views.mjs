// The pages of the dashboard that have an API: name of the view, its route, and what to do there.
export const VIEWS = {
  overview: { at: '' },
  services: { at: 'services' },
  service: { at: 'services/media-api' },
  system: { at: 'system' },
  memory: { at: 'memory' },
  cache: { at: 'cache' },
  errors: { at: 'errors' },
  usage: { at: 'usage' },
  explore: { at: 'explore' },
  trends: { at: 'trends' },
  admin: { at: 'admin' },
  states: { at: 'states', mayLoad: true },
};
