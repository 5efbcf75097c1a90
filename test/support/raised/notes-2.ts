import { notesOf } from './note.js';

export default notesOf(2, import.meta.url);
