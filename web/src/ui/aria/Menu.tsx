import { Button as AriaButton, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { buttonClass } from '../Button';
import { classes } from '../classes';
import { Icon } from '../Icon';
import styles from './Popover.module.css';

export interface MenuAction {
  name: string;
  isDanger?: boolean;
  isDisabled?: boolean;
  run(): void;
}

/** What else can be done, behind a button with three dots. */
export function ActionMenu({ label, actions }: { label: string; actions: readonly MenuAction[] }) {
  return (
    <MenuTrigger>
      <AriaButton className={buttonClass({ iconOnly: true })} aria-label={label}>
        <Icon name="more" />
      </AriaButton>
      <Popover className={styles.popover ?? ''} placement="bottom end">
        <Menu>
          {actions.map(({ name, isDanger, isDisabled, run }) => (
            <MenuItem
              key={name}
              className={classes(styles.item, isDanger && styles.danger)}
              isDisabled={isDisabled ?? false}
              onAction={run}
            >
              {name}
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
