import { notesOf } from './note.js';

export default notesOf(1, import.meta.url);
