// SPDX-License-Identifier: Apache-2.0
/*
 * What the user may do, asked once per machine, so that the page offers no button that would be
 * refused.  It is a courtesy: the server decides again on each request.
 */

const PATH = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/**
 * @param {import('./api.js').Api} api
 * @param {{of: string, call: string, verb: string}[]} wishes resource, subresource, verb
 * @returns {Promise<Set<string>>} "RESOURCE/SUBRESOURCE" of what is allowed; what could not be
 *     asked counts as allowed
 */
export async function allowedOf(api, namespace, name, wishes) {
    const answers = await Promise.all(wishes.map(async ({ of, call, verb }) => {
        const key = `${of}/${call}`;
        try {
            return await isAllowed(api, namespace, name, of, call, verb) ? key : '';
        } catch {
            return key;
        }
    }));

    return new Set(answers.filter(Boolean));
}

async function isAllowed(api, namespace, name, resource, subresource, verb) {
    const review = await api.post(PATH, {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: {
            resourceAttributes: {
                group: 'subresources.kubevirt.io',
                version: 'v1',
                namespace,
                name,
                resource,
                subresource,
                verb,
            },
        },
    });

    return review?.status?.allowed === true;
}

/** Is the token one the server knows?  Any review that is answered at all says so. */
export function checkIdentity(api, namespace) {
    return isAllowed(api, namespace || 'default', '', 'virtualmachineinstances', 'vnc', 'get');
}
