import { CodedError, assert, errorCode } from '@holdfast/kernel';

function withdraw(balance: number, amount: number): number {
  assert(amount > 0, 'an amount is positive'); // a bug of the caller, if not
  if (amount > balance)
    throw new CodedError('ACCOUNT_SHORT', 'the account is short', { balance, amount });
  return balance - amount;
}

try {
  withdraw(1, 2);
} catch (error) {
  console.log(errorCode(error)); // works across threads and realms, unlike instanceof
}
