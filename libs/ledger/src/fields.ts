export type Side = 'debit' | 'credit';
export type AccountStatus = 'active' | 'debit_frozen' | 'frozen' | 'closed';
export type Metadata = Readonly<Record<string, string>>;
/** A key with null is removed, one with text is set, one left out stays. */
export type MetadataPatch = Readonly<Record<string, string | null>>;
