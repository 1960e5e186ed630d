import { Link, useNavigate } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';
import { graphql } from '../../api/generated';
import type { ProductToEditQuery } from '../../api/generated/graphql';
import { Card, PageHead, Stack } from '../../ui/Surface';
import { showToast } from '../../ui/Toast';
import { PageForm } from '../forms/Form';
import { AreaInput, TextInput } from '../forms/fields';
import { useSubmission } from '../forms/useSubmission';
import { LoadedForm } from '../listing/LoadedForm';
import { BenefitsEditor } from './BenefitsEditor';
import { benefitChoice } from './benefits';
import { productField } from './productValues';

const ProductToEdit = graphql(`
  query ProductToEdit($id: ID!) {
    product(id: $id) {
      id
      name
      description
      benefits {
        id
        ...BenefitChoice_benefit
      }
    }
  }
`);

const ProductUpdate = graphql(`
  mutation ProductUpdate($input: ProductUpdateInput!) {
    productUpdate(input: $input) {
      product {
        id
        name
        description
        benefits {
          id
        }
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

type Product = NonNullable<ProductToEditQuery['product']>;

export function ProductEditPage() {
  return (
    <LoadedForm
      scope="BILLING_WRITE"
      what="product"
      query={ProductToEdit}
      found={(data) => data.product}
    >
      {(product) => <EditProduct product={product} />}
    </LoadedForm>
  );
}

function EditProduct({ product: { id, name, description, benefits } }: { product: Product }) {
  const navigate = useNavigate();
  const form = useForm({
    defaultValues: {
      name,
      description: description ?? '',
      benefits: benefits.map((benefit) => benefitChoice(benefit)),
    },
  });
  const { dirtyFields } = form.formState;
  const toProduct = () => navigate({ to: '/products/$id', params: { id } });
  const submission = useSubmission({
    form,
    mutation: ProductUpdate,
    // What is not changed is not sent: others may have changed it meanwhile.
    input: (values) => ({
      id,
      ...(dirtyFields.name && { name: values.name }),
      ...(dirtyFields.description && { description: values.description || null }),
      ...(dirtyFields.benefits && { benefitIds: values.benefits.map(({ key }) => key) }),
    }),
    at: productField,
    answer: (data) => data.productUpdate,
    onDone: (_data, values) => {
      showToast(`${values.name} is saved.`);
      toProduct();
    },
  });
  return (
    <Stack>
      <PageHead
        above={
          <Link to="/products/$id" params={{ id }}>
            <bdi>{name}</bdi>
          </Link>
        }
        title="Edit product"
        about="Its prices never change, so customers keep the terms that they agreed to. For other prices, create another product."
      />
      <PageForm form={form} submission={submission} action="Save changes" onCancel={toProduct}>
        <Card title="Product">
          <Stack>
            <TextInput name="name" label="Name" hint="Invoices show it." autoFocus />
            <AreaInput name="description" label="Description (optional)" rows={2} />
          </Stack>
        </Card>
        <BenefitsEditor about="A change applies to each subscription from its next period on." />
      </PageForm>
    </Stack>
  );
}
