import {
  type HttpApplication,
  type Logger,
  type OpenApiOptions,
  type ServiceLifecycle,
  createHttpApplication,
} from '@holdfast/platform';
import { AdminAccess, type AdminAccessOptions } from './access/admin-access.js';
import { AdminGuard } from './access/admin.guard.js';
import { ADMIN_CODED_ERRORS, ADMIN_PROBLEMS } from './admin-problems.js';
import { AdminModule, type AdminOptions } from './admin.module.js';

export interface StartAdminOptions extends AdminOptions {
  /** Where it is served, and to whom. */
  readonly admin: AdminAccessOptions & { readonly port: number };
  readonly logger: Logger;
  readonly lifecycle: ServiceLifecycle;
  /** It is served from within another Nest application, whose logger stays Nest's. */
  readonly isGuest?: boolean;
}

const ADMIN_OPEN_API: OpenApiOptions = {
  title: 'Holdfast administration',
  version: '1',
  description:
    "The operator's API of the process that owns the log. What takes long is a job: 202, then `GET /admin/jobs/{id}`. With a token " +
    'configured every request needs `Authorization: Bearer …`; without one it serves its own machine only.',
};

/** Before anything is made: throws what `startAdmin` would throw for its configuration. */
export function assertAdminServable(admin: AdminAccessOptions): void {
  AdminAccess.of(admin);
}

/** Serves the operator's API on its own port. Throws `ADMIN_TOKEN_MISSING`, `ADMIN_TOKEN_INVALID`. */
export async function startAdmin(options: StartAdminOptions): Promise<HttpApplication> {
  const { admin, logger, lifecycle } = options;
  const access = AdminAccess.of(admin);
  const application = await createHttpApplication(AdminModule.forRoot(options), {
    logger,
    api: 'admin',
    isGuest: options.isGuest === true,
    lifecycle,
    problems: ADMIN_PROBLEMS,
    codedErrors: ADMIN_CODED_ERRORS,
    openApi: { ...ADMIN_OPEN_API, wantsToken: access.wantsToken },
  });
  application.nest.useGlobalGuards(new AdminGuard(access));
  try {
    const url = await application.listen(admin.port, admin.host, 'HOLDFAST_ADMIN_PORT');
    logger.info({ url }, 'serving administration');
    return application;
  } catch (error) {
    await application.stop(0);
    throw error;
  }
}
