export const DATA_DIRECTORIES = Symbol('the directories of the data');
export const OPERATED_SERVICE = Symbol('the service whose log is operated');
