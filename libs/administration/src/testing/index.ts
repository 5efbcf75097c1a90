export { type AdminReply, type AdminServiceOptions, TestAdminService } from './admin-service.js';
