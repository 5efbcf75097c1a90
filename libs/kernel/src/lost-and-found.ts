/** What a file system makes by itself in its topmost directory: one that holds nothing else is empty. */
export const LOST_AND_FOUND = 'lost+found';
