/** The zone that instants are shown in. */
import { createContext, useContext } from 'react';

export const ZoneContext = createContext('UTC');

export function useZone(): string {
  return useContext(ZoneContext);
}
